import type pg from 'pg';
import { partitionName, type Month } from './month.js';
import { Refusal } from './refusal.js';

/** A table that holds rows of the ledger. */
export interface Partition {
  name: string;
  state: 'attached' | 'default' | 'detached';
  /** Its range, as instants; null of the default partition, of a detached table and of a range without an end. */
  from: string | null;
  to: string | null;
  /** PostgreSQL's estimate; 0 where it has made none. */
  rows: number;
  /** With its indexes. */
  bytes: number;
}

/** What the ledger consists of, oldest first, and what was detached from it. */
export async function listPartitions(client: pg.Client): Promise<Partition[]> {
  return (await client.query<Partition>(LIST)).rows;
}

/**
 * Where a month's rows are: in a partition of its own, in a table that was detached, or among the rows of the default partition.
 * @throws Refusal where they are nowhere.
 */
export async function findMonth(client: pg.Client, month: Month): Promise<Partition> {
  const partitions = await listPartitions(client);
  const own =
    partitions.find(({ state, from, to }) => state === 'attached' && from === month.from && to === month.to) ??
    partitions.find(({ state, name }) => state === 'detached' && name === partitionName(month));
  if (own) return own;
  const other = partitions.find(({ state }) => state === 'default');
  if (other && (await holdsAny(client, other, month))) return other;
  const known = partitions.filter(({ state }) => state !== 'default').map(({ name }) => name);
  throw new Refusal(`The ledger has no partition of ${month.name}, and no row of it. Its months: ${known.join(', ')}.`);
}

async function holdsAny(client: pg.Client, { name }: Partition, { from, to }: Month): Promise<boolean> {
  const sql = `SELECT 1 FROM ONLY public.${client.escapeIdentifier(name)} WHERE at >= $1 AND at < $2 LIMIT 1`;
  return (await client.query(sql, [from, to])).rows.length > 0;
}

/** The bounds are read as PostgreSQL writes them, in the session's time zone: UTC. */
const LIST = `
  WITH part AS (
    SELECT c.oid, c.relname AS name, c.reltuples, i.inhparent IS NOT NULL AS is_attached, pg_get_expr(c.relpartbound, c.oid) AS bounds
      FROM pg_class c
      LEFT JOIN pg_inherits i ON i.inhrelid = c.oid AND i.inhparent = 'public.ledger'::regclass
     WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'
       AND (i.inhparent IS NOT NULL OR (c.relname ~ '^ledger_[0-9]{4}_[0-9]{2}$' AND NOT c.relispartition))
  ), range AS (
    SELECT *, (regexp_match(bounds, 'FROM \\(''([^'']+)''\\)'))[1]::timestamptz AS first,
           (regexp_match(bounds, 'TO \\(''([^'']+)''\\)'))[1]::timestamptz AS next
      FROM part
  )
  SELECT name,
         CASE WHEN NOT is_attached THEN 'detached' WHEN bounds = 'DEFAULT' THEN 'default' ELSE 'attached' END AS state,
         to_char(first AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS from,
         to_char(next AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS to,
         CASE WHEN reltuples < 0 THEN pg_stat_get_live_tuples(oid) ELSE reltuples END::float8 AS rows,
         pg_total_relation_size(oid)::float8 AS bytes
    FROM range ORDER BY is_attached, bounds = 'DEFAULT', first, name`;
