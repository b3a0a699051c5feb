import type pg from 'pg';
import { holderOf, isLocked } from './locks.js';
import type { Month } from './month.js';
import type { Partition } from './partitions.js';
import { Refusal } from './refusal.js';

const RUNTIME_ROLES = 'countersign_api, countersign_issuer, countersign_operator';

/**
 * Begins the transaction that exports and detaches a month: makes sure that the month may leave the ledger, and keeps its rows as they
 * are until the end, so that what is detached is what was exported. Appends go to other partitions and readers read on; both notice nothing.
 * @throws Refusal where the month has to stay.
 */
export async function beginHolding(client: pg.Client, { name, state }: Partition, month: Month): Promise<void> {
  if (state === 'default')
    throw new Refusal(`${month.name} has no partition of its own: its rows are in ${name}, which stays.`);
  // Before the lock: on the current month's partition it would stop every append.
  await refuseUnlessOver(client, month);
  await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
  const table = `public.${client.escapeIdentifier(name)}`;
  await lock(client, name, table);
  await refuseWhileAlive(client, table, month);
  await client.query(`REVOKE ALL ON ${table} FROM PUBLIC, ${RUNTIME_ROLES}`);
}

/** The day is for whoever began to append in the month's last moment: their row must not wait for an export. */
async function refuseUnlessOver(client: pg.Client, { name, to }: Month): Promise<void> {
  const sql = `SELECT $1::timestamptz <= now() - interval '1 day' AS "isOver"`;
  const { rows } = await client.query<{ isOver: boolean }>(sql, [to]);
  if (rows[0]?.isOver) return;
  throw new Refusal(`${name} has not been over for a day: its partition stays. Nothing was exported.`);
}

/** Against writers and other runs of this program, not against readers. An autovacuum of the table gives way after a second. */
async function lock(client: pg.Client, name: string, table: string): Promise<void> {
  try {
    await client.query(`SET LOCAL lock_timeout = '5s'; LOCK TABLE ONLY ${table} IN SHARE ROW EXCLUSIVE MODE`);
  } catch (error) {
    if (!isLocked(error)) throw error;
    await client.query('ROLLBACK');
    throw new Refusal(`${name} is in use${await holderOf(client, [name])}. Nothing was exported: try again later.`);
  }
  const { rows } = await client.query('SELECT FROM pg_class WHERE oid = $1::regclass AND relispartition', [table]);
  if (rows.length === 0)
    throw new Refusal(`${name} was detached a moment ago, by somebody else. Nothing was exported.`);
}

/** Exposure, what a revocation would kill, is counted in the ledger: the record of a live URL must stay there. */
async function refuseWhileAlive(client: pg.Client, table: string, { name }: Month): Promise<void> {
  const { rows } = await client.query<{ urls: string; latest: Date | null }>(
    `SELECT count(*) AS urls, max(expires_at) AS latest FROM ONLY ${table} WHERE expires_at > now()`,
  );
  const { urls, latest } = rows[0] ?? { latest: null };
  if (!latest) return;
  throw new Refusal(
    `Of ${name}, ${urls} issued URLs are alive, the last one until ${latest.toISOString()}: their record stays until then. ` +
      'Nothing was exported.',
  );
}
