import { setTimeout as sleep } from 'node:timers/promises';
import { type IssuedKey, type KeyIssuer, KeyIssuerError } from '@countersign/signing-keys';
import { CephRgwKeyIssuer, type CephRgwSettings } from '../../libs/signing-keys/src/key-issuers/ceph-rgw-key-issuer.js';
import { OUTGOING } from './outgoing.js';

/** Who may make and take away access keys at the run's store, and as whose; by Ceph's Admin Ops API, be the store Ceph or the embedded one. */
export function storageAdmin(): CephRgwSettings {
  const env = process.env;
  return {
    endpoint: env['STORAGE_ENDPOINT'] ?? '',
    uid: env['STORAGE_UID'] ?? '',
    accessKeyId: env['STORAGE_ADMIN_ACCESS_KEY_ID'] ?? '',
    secretAccessKey: env['STORAGE_ADMIN_SECRET_ACCESS_KEY'] ?? '',
  };
}

/** The run's store's keys, for tests that run beside others. */
export function storageKeyIssuer(): KeyIssuer {
  const issuer = new CephRgwKeyIssuer(OUTGOING, storageAdmin());
  return {
    prepare: () => issuer.prepare(),
    create: (intent) => untilKnown(() => issuer.create(intent)),
    afterUnknown: (intent) => untilKnown(() => issuer.afterUnknown(intent)),
    disable: (accessKeyId) => untilKnown(() => issuer.disable(accessKeyId)),
    remove: (accessKeyId) => untilKnown(() => issuer.remove(accessKeyId)),
  };
}

/** An access key of a test's own at the run's store: one that it may take away, which the run's own is not. */
export async function makeAccessKey(): Promise<IssuedKey> {
  const issuer = storageKeyIssuer();
  return issuer.create(await issuer.prepare());
}

/** Ceph answers 500 where two change the keys of one user at once; each of these calls may be made again. */
export async function untilKnown<T>(attempt: () => Promise<T>): Promise<T> {
  for (let tries = 0; ; tries++) {
    try {
      return await attempt();
    } catch (error) {
      if (tries === 20 || !(error instanceof KeyIssuerError) || error.kind !== 'unknown') throw error;
      await sleep(20 + Math.random() * 100);
    }
  }
}
