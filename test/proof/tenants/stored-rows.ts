import pg from 'pg';

/** All that is stored of a tenant, in every table that there is. */
export class StoredRows {
  private constructor(
    private readonly owner: pg.Client,
    private readonly query: string,
  ) {}

  static async open(): Promise<StoredRows> {
    const owner = new pg.Client({ connectionString: process.env['TEST_OWNER_URL'] });
    await owner.connect();
    const { rows: tables } = await owner.query<{ name: string }>(
      `SELECT c.relname AS name FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id'
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition ORDER BY 1`,
    );
    const parts = tables.map(
      ({ name }) => `SELECT '${name}' AS name, coalesce(string_agg(r::text, E'\\n' ORDER BY r::text), '') AS rows
        FROM ${name} r WHERE tenant_id = (SELECT id FROM tenants WHERE slug = $1)`,
    );
    return new StoredRows(owner, parts.join(' UNION ALL '));
  }

  /** By table, as text. */
  async of(slug: string): Promise<Record<string, string>> {
    const { rows } = await this.owner.query<{ name: string; rows: string }>(this.query, [slug]);
    return Object.fromEntries(rows.map(({ name, rows }) => [name, rows]));
  }

  close(): Promise<void> {
    return this.owner.end();
  }
}
