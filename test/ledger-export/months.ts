import path from 'node:path';
import { runBuilt, type Run } from '../support/built-program.js';
import type { FreshDatabase } from '../support/fresh-database.js';

export const PROGRAM = 'dist/apps/ledger-export/src/main.js';

/** `npm run ledger:export`, as the owner of that database. */
export const runExport = (database: Pick<FreshDatabase, 'ownerUrl'>, ...args: string[]): Promise<Run> =>
  runBuilt(PROGRAM, args, { DATABASE_URL: database.ownerUrl });

/** Makes the partition of a month that is over, such as 2024-03, as it would have been made then; gives its name. */
export async function makePartition(database: FreshDatabase, month: string): Promise<string> {
  const name = `ledger_${month.replace('-', '_')}`;
  await database.query(`CREATE TABLE ${name} (LIKE ledger INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING INDEXES)`);
  await database.query(
    `ALTER TABLE ledger ATTACH PARTITION ${name} FOR VALUES FROM ('${month}-01 00:00Z') TO ('${monthAfter(month)}-01 00:00Z')`,
  );
  return name;
}

/**
 * Fills a month with rows in no order, of which many have the same instant: nulls, other alphabets, line breaks, numbers that no double
 * holds. Their URLs are dead.
 */
export async function fill(database: FreshDatabase, month: string, rows: number): Promise<void> {
  await database.query(
    `INSERT INTO ledger (at, id, tenant_id, subject, action, decision, reason, bucket, key, use_case, issuance_id, signing_key_id,
        expires_at, content_type, content_length, url, client_address, user_agent, request_id, details, url_count,
        stable_urls)
     SELECT at, gen_random_uuid(), gen_random_uuid(), 'user-' || n, 'download-url',
            CASE WHEN n % 7 = 0 THEN 'refused' ELSE 'granted' END::decision, CASE WHEN n % 7 = 0 THEN 'not-granted' END,
            'files', $3 || n, CASE WHEN n % 2 = 0 THEN 'download' END, gen_random_uuid(), CASE WHEN n % 3 = 0 THEN gen_random_uuid() END,
            CASE WHEN n % 7 <> 0 THEN at + interval '15 minutes' END, CASE WHEN n % 5 = 0 THEN 'image/png' END,
            CASE WHEN n % 5 = 0 THEN 9007199254740991 - n END, 'https://s3.example.com/files/' || n, '2001:db8::1', $4, gen_random_uuid(),
            CASE WHEN n % 4 = 0 THEN NULL WHEN n % 4 = 1 THEN 'null'::jsonb ELSE jsonb_build_object('note', $3::text, 'n', n, 'deep', '[1, {"a": null}]'::jsonb) END,
            CASE WHEN n % 6 = 0 THEN n END, CASE WHEN n % 9 = 0 THEN ARRAY[gen_random_uuid(), gen_random_uuid()] END
       FROM (SELECT n, $1::timestamptz + (n::bigint * 7919 % 2000000) / 3 * interval '1 second' AS at FROM generate_series(1, $2::integer) AS n) AS rows`,
    [`${month}-01 00:00Z`, rows, 'zażółć/日本語/🗝️/"quoted"\\back\u2028\n\t/', 'Mozilla/5.0 (a\r\nb)'],
  );
}

/** The rows of a table as the program should write them, read by nothing of it. */
export async function expectedLines(database: FreshDatabase, table: string): Promise<Record<string, unknown>[]> {
  const rows = await database.query<Record<string, unknown>>(`SELECT * FROM ${table} ORDER BY at, id`);
  return rows.map(({ at, expires_at, content_length, stable_urls, ...row }) => ({
    ...Object.fromEntries(Object.entries(row).map(([column, value]) => [toField(column), value])),
    at: (at as Date).toISOString(),
    expiresAt: (expires_at as Date | null)?.toISOString() ?? null,
    contentLength: content_length === null ? null : Number(content_length),
    stableUrls: stable_urls ?? [],
  }));
}

export const parseLines = (text: string): Record<string, unknown>[] =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

/** Where a spec's exports go. */
export const inFolder = (folder: string) => (name: string) => path.join(folder, name);

const toField = (column: string) => column.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());

const monthAfter = (month: string) => {
  const date = new Date(`${month}-15T00:00:00Z`);
  date.setUTCMonth(date.getUTCMonth() + 1);
  return date.toISOString().slice(0, 7);
};
