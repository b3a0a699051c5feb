import type pg from 'pg';

/** Whether a statement gave up because somebody else holds what it needs (`lock_not_available`). */
export const isLocked = (error: unknown): boolean => (error as { code?: unknown }).code === '55P03';

/**
 * The oldest transaction that holds one of these tables, for whoever wants to end it: ` (process 4711 of …)`. Empty where it is gone by now.
 * Of other logins an owner who is no superuser is told the process only.
 */
export async function holderOf(client: pg.Client, tables: string[]): Promise<string> {
  const { rows } = await client.query<{ pid: number; traits: string | null }>(
    `SELECT a.pid, concat_ws(', ', nullif(a.application_name, ''), a.state,
              'for ' || extract(epoch FROM clock_timestamp() - a.xact_start)::integer || ' s') AS traits
       FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
      WHERE l.relation = ANY (SELECT to_regclass('public.' || quote_ident(name)) FROM unnest($1::text[]) AS name)
        AND l.granted AND l.pid <> pg_backend_pid() AND a.datname = current_database()
      ORDER BY a.xact_start LIMIT 1`,
    [tables],
  );
  const [holder] = rows;
  return holder ? ` (process ${holder.pid} of the database server${holder.traits ? `, ${holder.traits}` : ''})` : '';
}
