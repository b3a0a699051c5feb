import { randomUUID } from 'node:crypto';
import type { CredentialSeal, RotationMode } from '@countersign/signing-keys';
import type pg from 'pg';
import type { Caller } from '../../apps/api/src/http/caller.js';
import type { StartRotation } from '../../apps/api/src/rotations/start-rotation.js';
import type { KeyStore } from './key-stores.js';

/** A tenant with one bucket, whose signing key is about to be rotated, and has a live URL. */
export interface RotatedBucket {
  tenantId: string;
  bucketId: string;
  keyPrefix: string;
  oldKeyId: string;
}

export async function makeRotatedBucket(
  client: pg.Pool,
  seal: CredentialSeal,
  { type, firstKey: { accessKeyId, secretAccessKey } }: KeyStore,
): Promise<RotatedBucket> {
  const [tenantId, bucketId, oldKeyId] = [randomUUID(), randomUUID(), randomUUID()];
  const keyPrefix = `${randomUUID()}/`;
  const env = process.env;
  const sealed = seal.seal({ secretAccessKey }, { tenantId, signingKeyId: oldKeyId });
  await client.query(`INSERT INTO tenants (id, slug, name) VALUES ($1, $2, 'A tenant')`, [tenantId, `t-${tenantId}`]);
  await client.query(
    `INSERT INTO buckets (id, tenant_id, name, provider, endpoint, region, bucket, key_prefix, force_path_style, acl)
     VALUES ($1, $2, 'files', 's3', $3, $4, $5, $6, true, 'private')`,
    [bucketId, tenantId, env['STORAGE_ENDPOINT'], env['STORAGE_REGION'], env['STORAGE_BUCKET'], keyPrefix],
  );
  await client.query(
    `INSERT INTO signing_keys (id, tenant_id, bucket_id, access_key_id, sealed_credential, state)
     VALUES ($1, $2, $3, $4, $5, 'active')`,
    [oldKeyId, tenantId, bucketId, accessKeyId, sealed],
  );
  await client.query(`INSERT INTO key_issuers (tenant_id, bucket_id, type, settings) VALUES ($1, $2, $3, '{}')`, [
    tenantId,
    bucketId,
    type,
  ]);
  await client.query(
    `INSERT INTO ledger (at, id, tenant_id, subject, action, decision, bucket, key, signing_key_id, request_id, expires_at)
     VALUES (now(), $1, $2, 'alice', 'download-url', 'granted', 'files', 'report', $3, 'a test', now() + interval '10 minutes')`,
    [randomUUID(), tenantId, oldKeyId],
  );
  return { tenantId, bucketId, keyPrefix, oldKeyId };
}

/** As `POST /rotations` and `POST /signing-keys/{id}/revocation` begin it. Gives the rotation's id. */
export async function begin(
  starts: StartRotation,
  { tenantId, oldKeyId }: RotatedBucket,
  mode: RotationMode,
): Promise<string> {
  const caller = callerOf(tenantId);
  const reason = 'a test';
  const begun =
    mode === 'revocation'
      ? await starts.revoke(caller, oldKeyId, { reason })
      : await starts.rotate(caller, { bucket: 'files', mode, reason });
  if ('id' in begun) return begun.id;
  throw new Error('nothing was begun');
}

export const callerOf = (tenantId: string): Caller => ({
  tenantId,
  isSuspended: false,
  subject: 'admin',
  groups: [],
  scopes: new Set(['admin:tenant']),
  clientAddress: '127.0.0.1',
  userAgent: null,
  requestId: randomUUID(),
});
