import type pg from 'pg';
import { holderOf, isLocked } from './locks.js';
import { Refusal } from './refusal.js';

/** Drops a table that was detached; never a partition. @throws Refusal */
export async function dropDetached(client: pg.Client, name: string): Promise<void> {
  const table = `public.${client.escapeIdentifier(name)}`;
  await client.query(`BEGIN; SET LOCAL lock_timeout = '5s'`);
  try {
    const isThere = 'SELECT to_regclass($1) IS NOT NULL AS "isThere"';
    if (!(await client.query<{ isThere: boolean }>(isThere, [table])).rows[0]?.isThere)
      throw new Refusal(`There is no table ${name}.`);
    const isPart = 'SELECT relispartition AS "isPart" FROM pg_class WHERE oid = $1::regclass';
    // Asked before the lock, which readers of the ledger would wait for, and again under it.
    for (const lock of [`LOCK TABLE ONLY ${table} IN ACCESS EXCLUSIVE MODE`, `DROP TABLE ${table}; COMMIT`]) {
      if ((await client.query<{ isPart: boolean }>(isPart, [table])).rows[0]?.isPart !== false)
        throw new Refusal(`${name} is a partition of the ledger: it is dropped only once it is exported and detached.`);
      await client.query(lock);
    }
  } catch (error) {
    await client.query('ROLLBACK');
    if (isLocked(error)) throw new Refusal(`${name} is not dropped: it is in use${await holderOf(client, [name])}.`);
    throw error;
  }
}
