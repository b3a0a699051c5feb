// A bucket at the run's store whose signing key a test may rotate away. The run's own key, by which all other tests sign, is left alone.
import { setTimeout as sleep } from 'node:timers/promises';
import type { IssuedKey } from '@countersign/signing-keys';
import { callCephAdmin } from '../../../libs/signing-keys/src/key-issuers/ceph-admin.js';
import { callsBy, type Calls } from '../../api/calls.js';
import type { Followed } from '../../api/rotations/rotation-fixture.js';
import type { Api, Tenant } from '../../support/installation.js';
import { makeAccessKey, storageAdmin } from '../../support/storage-keys.js';
import { StorageTest } from '../storage-fixture.js';
import { OUTGOING } from '../../support/outgoing.js';

export type Mode = 'graceful' | 'immediate';

/** A signing key as the API lists it. */
export interface ListedKey {
  id: string;
  accessKeyId: string;
  state: string;
  exposure: { liveUrls: number; subjects: number; latestExpiresAt: string | null };
}

export class RotatedBucket {
  constructor(
    readonly api: Api,
    readonly tenant: Tenant,
    /** By which it signs at first. */
    readonly firstKey: IssuedKey,
  ) {}

  get admin(): Calls {
    return callsBy(this.api, this.tenant.admin);
  }

  /** From now on the store's own API makes and takes away its keys. Until then they are made by hand. */
  async useKeyIssuer(): Promise<this> {
    const isEmbedded = process.env['STORAGE_KIND'] === 'embedded';
    const keyIssuer = isEmbedded ? { type: 'embedded' } : { type: 'ceph-rgw', ...storageAdmin() };
    await this.admin.patch('/buckets/files', { keyIssuer }).expect(200);
    return this;
  }

  rotate(mode: Mode, more: object = {}) {
    return this.admin.post('/rotations', { bucket: 'files', mode, reason: 'a test', ...more });
  }

  /** Gives the id of the rotation. */
  async begin(mode: Mode, more: object = {}): Promise<string> {
    return ((await this.rotate(mode, more).expect(202)).body as Followed).id;
  }

  async follow(id: string): Promise<Followed> {
    return (await this.admin.get(`/rotations/${id}`).expect(200)).body as Followed;
  }

  /** Asks until the rotation is so. */
  async until(id: string, isSo: (rotation: Followed) => boolean, withinMs = 25_000): Promise<Followed> {
    const deadline = Date.now() + withinMs;
    for (;;) {
      const rotation = await this.follow(id);
      if (isSo(rotation)) return rotation;
      if (Date.now() > deadline) throw new Error(`It never came so far: ${JSON.stringify(rotation)}`);
      await sleep(50);
    }
  }

  /** Done, or in need of its operator. */
  untilOver(id: string): Promise<Followed> {
    return this.until(id, ({ state }) => state === 'done' || state === 'needs-operator');
  }

  /** Newest first. */
  async keys(): Promise<ListedKey[]> {
    const response = await this.admin.get('/signing-keys', { bucket: 'files' }).expect(200);
    return (response.body as { items: ListedKey[] }).items;
  }

  /** Asks for a download URL of alice's, whatever the answer. */
  ask(more: object = {}) {
    const body = { bucket: 'files', key: 'users/alice/file', ...more };
    return callsBy(this.api, this.tenant.token('alice')).post('/download-url', body);
  }
}

/** With alice's folder in it, in an installation of this process. */
export async function startRotated(): Promise<{ storage: StorageTest; bucket: RotatedBucket }> {
  const firstKey = await makeAccessKey();
  const storage = await StorageTest.start({ credentials: firstKey });
  return { storage, bucket: new RotatedBucket(storage.installation.api, storage.tenant, firstKey) };
}

/** The access keys that the store itself lists for the user whose keys sign. */
export async function accessKeysAtStore(): Promise<string[]> {
  const { uid, ...admin } = storageAdmin();
  const answer = await callCephAdmin(OUTGOING, admin, 'GET', { uid }, AbortSignal.timeout(10_000));
  const { keys } = JSON.parse(answer.body.toString()) as { keys: { access_key: string }[] };
  return keys.map((key) => key.access_key);
}
