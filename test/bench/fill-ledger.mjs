// A ledger of half a year, as its rows would have come: in the order of time, in a partition for each month.
import pg from 'pg';
import { say } from './cleanup.mjs';
import { BUCKET } from './world.mjs';

const MONTHS = 6;
const CHUNK = 1_000_000;

export async function fillLedger(ownerUrl, tenantId, rows) {
  if (rows === 0) return;
  const client = new pg.Client({ connectionString: ownerUrl });
  await client.connect();
  try {
    await createPastPartitions(client);
    for (let from = 0; from < rows; from += CHUNK) {
      await client.query(INSERT, [tenantId, BUCKET, rows, from, Math.min(rows, from + CHUNK) - 1, MONTHS]);
      say(`  ${Math.min(rows, from + CHUNK).toLocaleString('en-US')} rows`);
    }
    await client.query('VACUUM ANALYZE ledger');
    await client.query('CHECKPOINT');
  } finally {
    await client.end();
  }
}

/** `create_ledger_partitions` makes those of this month and later. */
async function createPastPartitions(client) {
  await client.query(`
    SET timezone = 'UTC';
    DO $$
    DECLARE
      first_day date;
    BEGIN
      FOR i IN 1..${MONTHS} LOOP
        first_day := date_trunc('month', now() - make_interval(months => i));
        EXECUTE format('CREATE TABLE %I PARTITION OF ledger FOR VALUES FROM (%L) TO (%L)',
          'ledger_' || to_char(first_day, 'YYYY_MM'), first_day::timestamptz, (first_day + interval '1 month')::timestamptz);
      END LOOP;
    END
    $$`);
}

/** Row n of them all stands at the n-th part of the time until now. What they hold is what a download's row holds. */
const INSERT = `
  INSERT INTO ledger (at, id, tenant_id, subject, action, decision, bucket, key, use_case, issuance_id, signing_key_id, expires_at, url,
      client_address, request_id, details)
  SELECT r.at, r.id, $1::uuid, u.subject, 'download-url', 'granted', $2, o.key, 'download', r.id, k.id, r.at + interval '15 minutes',
         'https://s3.eu-central-1.example.com/acme-files/' || o.key, '127.0.0.1', gen_random_uuid()::text, '{"method": "GET"}'
    FROM generate_series($4::bigint, $5::bigint) AS n,
         LATERAL (SELECT gen_random_uuid() AS id,
                         now() - make_interval(months => $6::int) * (1 - n::float8 / $3::float8) AS at) AS r,
         LATERAL (SELECT '11111111-1111-4111-8111-' || lpad(to_hex(n % 1000), 12, '0') AS subject) AS u,
         LATERAL (SELECT 'users/' || u.subject || '/photos/2026/img-' || n % 10000 || '.png' AS key) AS o,
         (SELECT id FROM signing_keys WHERE tenant_id = $1 AND state = 'active') AS k`;
