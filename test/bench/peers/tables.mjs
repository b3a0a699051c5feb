// What every peer reads and writes: our own tables, and in the ledger the very row that our service would write. The peers connect as the
// tables' owner, for whom row-level security is not evaluated.
import { randomUUID } from 'node:crypto';

/** Has this user a grant on this key? The bucket's active signing key, for the row. */
export const PERMITTED = {
  name: 'permitted',
  text: `SELECT k.id FROM buckets b
           JOIN signing_keys k ON k.tenant_id = b.tenant_id AND k.bucket_id = b.id AND k.state = 'active'
           JOIN grants g ON g.tenant_id = b.tenant_id AND g.bucket_id = b.id
          WHERE b.tenant_id = $1 AND b.name = $2 AND g.subject_type = 'user' AND g.subject_id = $3
            AND $5::action = ANY (g.actions) AND g.effect = 'allow' AND starts_with($4, g.path) LIMIT 1`,
};

/** All that this user has in these buckets, for a batch. */
export const PREFIXES = {
  name: 'prefixes',
  text: `SELECT b.name, g.path, k.id FROM buckets b
           JOIN signing_keys k ON k.tenant_id = b.tenant_id AND k.bucket_id = b.id AND k.state = 'active'
           JOIN grants g ON g.tenant_id = b.tenant_id AND g.bucket_id = b.id
          WHERE b.tenant_id = $1 AND b.name = ANY ($2) AND g.subject_type = 'user' AND g.subject_id = $3
            AND $4::action = ANY (g.actions) AND g.effect = 'allow'`,
};

/** Of a row; `id` is `issuance_id` as well, and `decision` is always the same. */
const COLUMNS = {
  id: 'uuid',
  tenant_id: 'uuid',
  subject: 'text',
  action: 'text',
  bucket: 'text',
  key: 'text',
  use_case: 'text',
  signing_key_id: 'uuid',
  expires_at: 'timestamptz',
  content_type: 'text',
  content_length: 'bigint',
  url: 'text',
  client_address: 'text',
  user_agent: 'text',
  request_id: 'text',
  details: 'jsonb',
};
const NAMES = Object.keys(COLUMNS);

export const APPEND = {
  name: 'append',
  text: `INSERT INTO ledger (issuance_id, decision, ${NAMES.join(', ')})
         VALUES ($1, 'granted', ${NAMES.map((_, n) => `$${n + 1}`).join(', ')})`,
};

/** The same for many rows: one array a column. */
export const APPEND_MANY = {
  name: 'append-many',
  text: `INSERT INTO ledger (issuance_id, decision, ${NAMES.join(', ')})
         SELECT r.id, 'granted', r.*
           FROM unnest(${NAMES.map((name, n) => `$${n + 1}::${COLUMNS[name]}[]`).join(', ')}) AS r(${NAMES.join(', ')})`,
};

export const columnsOf = (rows) => NAMES.map((_, n) => rows.map((row) => row[n]));

/** The same for one caller's batch of downloads: arrays of what differs, and the rest once. */
export const APPEND_BATCH = {
  name: 'append-batch',
  text: `INSERT INTO ledger (issuance_id, decision, id, bucket, key, signing_key_id, url,
             tenant_id, subject, action, use_case, expires_at, client_address, user_agent, request_id, details)
         SELECT r.id, 'granted', r.*, $6::uuid, $7, 'download-url', 'download', $8::timestamptz, $9, $10, $11, '{"method": "GET"}'
           FROM unnest($1::uuid[], $2::text[], $3::text[], $4::uuid[], $5::text[]) AS r(id, bucket, key, signing_key_id, url)`,
};

/** One row, in the order of the columns. */
export function ledgerRow(request, claims, action, item, signingKeyId, address, expiresInSeconds) {
  const isUpload = action === 'upload-url';
  return [
    randomUUID(),
    claims.tenant_id,
    claims.sub,
    action,
    item.bucket,
    item.key,
    isUpload ? 'upload' : 'download',
    signingKeyId,
    inSeconds(expiresInSeconds),
    isUpload ? item.contentType : null,
    isUpload ? item.contentLength : null,
    address,
    request.socket.remoteAddress,
    request.headers['user-agent'] ?? null,
    randomUUID(),
    isUpload ? '{"method": "PUT", "overwrite": false}' : '{"method": "GET"}',
  ];
}

/** The values of APPEND_BATCH. @param granted [{ item, signingKeyId, address }] */
export function batchValues(request, claims, granted, expiresInSeconds) {
  return [
    granted.map(() => randomUUID()),
    granted.map(({ item }) => item.bucket),
    granted.map(({ item }) => item.key),
    granted.map(({ signingKeyId }) => signingKeyId),
    granted.map(({ address }) => address),
    claims.tenant_id,
    claims.sub,
    inSeconds(expiresInSeconds),
    request.socket.remoteAddress,
    request.headers['user-agent'] ?? null,
    randomUUID(),
  ];
}

/** A whole second, as a URL's expiry is. */
const inSeconds = (seconds) => new Date((Math.floor(Date.now() / 1000) + seconds) * 1000).toISOString();
