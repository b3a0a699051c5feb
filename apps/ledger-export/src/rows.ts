import type pg from 'pg';
import type { Month } from './month.js';
import type { Partition } from './partitions.js';

/** How many rows are held at a time, here and in the connection: memory does not grow with the month. */
const BATCH = 500;

/**
 * A month's rows as lines of JSON, oldest first, in batches. To be read inside a transaction; its snapshot is what is read.
 * PostgreSQL writes the JSON itself, so that a number of `details` is the number that is stored, whatever its size.
 */
export async function* readLines(client: pg.Client, { name }: Partition, month: Month): AsyncGenerator<string[]> {
  const { from, to } = month;
  const table = client.escapeIdentifier(name);
  // By the primary key: to sort a month would fill the server's disk with temporary files.
  await client.query('SET LOCAL enable_sort = off; SET LOCAL jit = off');
  const urlCount = (await hasColumn(client, table, 'url_count')) ? 'l.url_count' : 'NULL::integer';
  const stableUrls = (await hasColumn(client, table, 'stable_urls')) ? 'l.stable_urls' : 'NULL::uuid[]';
  await client.query(
    `DECLARE ledger_rows NO SCROLL CURSOR FOR
     SELECT row_to_json(event)::text AS line FROM (
       SELECT ${FIELDS}, ${urlCount} AS "urlCount", coalesce(${stableUrls}, '{}') AS "stableUrls"
         FROM ONLY public.${table} AS l WHERE l.at >= '${from}' AND l.at < '${to}' ORDER BY l.at, l.id) AS event`,
  );
  for (;;) {
    const { rows } = await client.query<[string]>({ text: `FETCH ${BATCH} FROM ledger_rows`, rowMode: 'array' });
    if (rows.length === 0) break;
    yield rows.map(([line]) => line);
  }
  await client.query('CLOSE ledger_rows');
}

/** How many rows the month has in this transaction's snapshot, counted by other means than those that read them. */
export async function countRows(client: pg.Client, { name }: Partition, { from, to }: Month): Promise<number> {
  const sql = `SELECT count(*)::float8 AS rows FROM ONLY public.${client.escapeIdentifier(name)} WHERE at >= $1 AND at < $2`;
  return (await client.query<{ rows: number }>(sql, [from, to])).rows[0]?.rows ?? 0;
}

/** Not of a table that was detached before the ledger had it. */
async function hasColumn(client: pg.Client, table: string, column: string): Promise<boolean> {
  const sql = `SELECT 1 FROM pg_attribute WHERE attrelid = $1::regclass AND attname = $2`;
  return (await client.query(sql, [`public.${table}`, column])).rows.length > 0;
}

/** The fields of GET /audit-events but those that came later, and the tenant. */
const FIELDS = `
  l.id, to_char(l.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS at, l.tenant_id AS "tenantId", l.subject, l.action,
  l.decision, l.reason, l.bucket, l.key, l.use_case AS "useCase", l.issuance_id AS "issuanceId",
  l.signing_key_id AS "signingKeyId", to_char(l.expires_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS "expiresAt",
  l.content_type AS "contentType", l.content_length AS "contentLength", l.url, l.client_address AS "clientAddress",
  l.user_agent AS "userAgent", l.request_id AS "requestId", l.details`;
