// What every peer reads and writes: our own tables, and in the ledger, and for an upload in `uploads`, the very rows that our service would write. The peers connect as the
// tables' owner, for whom row-level security is not evaluated.
import { randomUUID } from 'node:crypto';

/** Has this user a grant on this key? The bucket's active signing key and its id, for the rows. */
export const PERMITTED = {
  name: 'permitted',
  text: `SELECT k.id, b.id AS bucket_id FROM buckets b
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

/** An upload's own row, of what the ledger's has and of the bucket's id. */
const BEGIN = `INSERT INTO uploads (id, tenant_id, subject, bucket_id, bucket, key, use_case, mode, content_type, content_length,
             overwrite, created_at, expires_at, due_at)
         SELECT id, tenant_id, subject, bucket_id, bucket, key, use_case, 'put', content_type, content_length,
             false, now(), expires_at, expires_at FROM given`;

/** An upload's two rows, in one statement and so in one commit; the bucket's id behind the ledger's columns. */
export const APPEND_UPLOAD = {
  name: 'append-upload',
  text: `WITH given AS (SELECT ${[...Object.entries(COLUMNS), ['bucket_id', 'uuid']].map(([name, type], n) => `$${n + 1}::${type} AS ${name}`).join(', ')}),
           recorded AS (INSERT INTO ledger (issuance_id, decision, ${NAMES.join(', ')})
             SELECT id, 'granted', ${NAMES.join(', ')} FROM given)
         ${BEGIN}`,
};

/** The same for many. */
export const APPEND_UPLOADS = {
  name: 'append-uploads',
  text: `WITH given AS MATERIALIZED (SELECT *
             FROM unnest(${[...Object.values(COLUMNS), 'uuid'].map((type, n) => `$${n + 1}::${type}[]`).join(', ')}) AS r(${NAMES.join(', ')}, bucket_id)),
           recorded AS (INSERT INTO ledger (issuance_id, decision, ${NAMES.join(', ')})
             SELECT id, 'granted', ${NAMES.join(', ')} FROM given)
         ${BEGIN} WHERE action = 'upload-url'`,
};

/** An upload's row is longer by the bucket's id. */
export const hasUpload = (row) => row.length > NAMES.length;

/** The bucket's id only where one is an upload's. */
export function columnsOf(rows) {
  const names = rows.some(hasUpload) ? [...NAMES, 'bucket_id'] : NAMES;
  return names.map((_, n) => rows.map((row) => row[n] ?? null));
}

/** The same for one caller's batch of downloads: arrays of what differs, and the rest once. */
export const APPEND_BATCH = {
  name: 'append-batch',
  text: `INSERT INTO ledger (issuance_id, decision, id, bucket, key, signing_key_id, url,
             tenant_id, subject, action, use_case, expires_at, client_address, user_agent, request_id, details)
         SELECT r.id, 'granted', r.*, $6::uuid, $7, 'download-url', 'download', $8::timestamptz, $9, $10, $11, '{"method": "GET"}'
           FROM unnest($1::uuid[], $2::text[], $3::text[], $4::uuid[], $5::text[]) AS r(id, bucket, key, signing_key_id, url)`,
};

/** One row, in the order of the columns. @param found what PERMITTED gives */
export function ledgerRow(request, claims, action, item, [signingKeyId, bucketId], address, expiresInSeconds) {
  const isUpload = action === 'upload-url';
  const row = [
    newId(),
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
  if (isUpload) row.push(bucketId);
  return row;
}

/** The values of APPEND_BATCH. @param granted [{ item, signingKeyId, address }] */
export function batchValues(request, claims, granted, expiresInSeconds) {
  return [
    granted.map(newId),
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

/** A UUIDv7, as ours have it: names that begin with the time lie together in an index. */
function newId() {
  const time = Date.now().toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7${randomUUID().slice(15)}`;
}

/** A whole second, as a URL's expiry is. */
const inSeconds = (seconds) => new Date((Math.floor(Date.now() / 1000) + seconds) * 1000).toISOString();
