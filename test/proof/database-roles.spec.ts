import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { connections, ROLES, type Seed } from '../database/connections.js';
import { proof } from './record.js';

const roles = proof(
  'Tenants are kept apart by the database too: no runtime role owns or bypasses anything, and without a tenant there is no row',
  'every table, sequence, schema, type and function × every role and privilege; every query that forgets its tenant',
  'row-level security of a table switched off; a privilege granted to countersign_issuer',
);
interface Table {
  name: string;
  columns: string[];
}

/** What test/database/roles.spec.ts says of the tables that it names, said of whatever there is: a new table is attacked before anybody thinks of it. */
describe('The runtime roles', () => {
  const { run, codeOf, seed } = connections();
  let tables: Table[];
  let seeded: Seed;
  let cases = 0;

  beforeAll(async () => {
    seeded = await seed();
    // Partitions are tables of their own: a policy of the parent's does not bind who names the part.
    tables = await run<{ name: string; columns: string[] }>(
      'owner',
      `SELECT c.oid::regclass::text AS name, array_agg(quote_ident(a.attname) ORDER BY a.attnum) AS columns
         FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f') GROUP BY c.oid ORDER BY 1`,
    );
    expect(tables.map(({ name }) => name)).toEqual(expect.arrayContaining(['buckets', 'ledger', 'ledger_default']));
  });

  it('own and bypass nothing, whatever kind of thing it is', async () => {
    for (const role of ROLES) {
      const [owned] = await run<{ owned: string[] | null }>(
        role,
        `SELECT array_agg(what) AS owned FROM (
           SELECT 'relation ' || relname AS what FROM pg_class WHERE pg_has_role(current_user, relowner, 'MEMBER')
           UNION ALL SELECT 'function ' || proname FROM pg_proc WHERE pg_has_role(current_user, proowner, 'MEMBER')
           UNION ALL SELECT 'type ' || typname FROM pg_type WHERE pg_has_role(current_user, typowner, 'MEMBER')
           UNION ALL SELECT 'schema ' || nspname FROM pg_namespace WHERE pg_has_role(current_user, nspowner, 'MEMBER')
           UNION ALL SELECT 'database ' || datname FROM pg_database WHERE pg_has_role(current_user, datdba, 'MEMBER')
         ) things`,
      );
      expect([role, owned]).toEqual([role, { owned: null }]);
      // Nor by a role that it is in, however far away: pg_read_all_data reads everything, and so does BYPASSRLS.
      const [above] = await run(
        role,
        `SELECT count(*)::int AS n FROM pg_roles WHERE pg_has_role(current_user, oid, 'MEMBER')
            AND (rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolreplication OR rolname LIKE 'pg\\_%')`,
      );
      expect([role, above]).toEqual([role, { n: 0 }]);
      const [rights] = await run(
        role,
        `SELECT has_schema_privilege('public', 'CREATE') AS schema, has_database_privilege(current_database(), 'CREATE') AS database`,
      );
      expect([role, rights]).toEqual([role, { schema: false, database: false }]);
      cases += 7;
    }
  });

  it('api: a query that forgets its tenant gives nothing, of every table that there is', async () => {
    // Attack: a code path that forgot to say whose rows it wants; the tables do hold rows.
    for (const { name, columns } of tables) {
      for (const column of columns) {
        for (const sql of [`SELECT ${column} FROM ${name}`, `SELECT count(${column})::int AS n FROM ${name}`]) {
          const seen = await codeOf('api', sql);
          expect([sql, seen]).toEqual([sql, seen === '42501' ? '42501' : sql.includes('count(') ? [{ n: 0 }] : []]);
          cases++;
        }
      }
      for (const sql of [
        `UPDATE ${name} SET ${columns[0]} = ${columns[0]} RETURNING 1`,
        `DELETE FROM ${name} RETURNING 1`,
      ]) {
        const changed = await codeOf('api', sql);
        expect([sql, changed]).toEqual([sql, changed === '42501' ? '42501' : []]);
        cases++;
      }
    }
    for (const setting of ['', randomUUID()]) {
      const sql = `SELECT set_config('countersign.tenant_id', $1, true)`;
      for (const { name, columns } of tables) {
        await run('api', 'BEGIN');
        await run('api', sql, [setting]);
        const seen = await codeOf('api', `SELECT ${columns.at(-1)} FROM ${name}`);
        await run('api', 'ROLLBACK');
        expect([name, seen]).toEqual([name, seen === '42501' ? '42501' : []]);
        cases++;
      }
    }
  });

  it('api: the tenant of one transaction is not that of the next on the same connection', async () => {
    // Attack: a pool's connection remembers whom it served.
    await run('api', 'BEGIN');
    await run('api', `SELECT set_config('countersign.tenant_id', $1, true)`, [seeded.tenant]);
    expect(await run('api', 'SELECT tenant_id FROM buckets')).toEqual([{ tenant_id: seeded.tenant }]);
    await run('api', 'COMMIT');
    expect(await run('api', 'SELECT tenant_id FROM buckets')).toEqual([]);
    cases++;
  });

  it('issuer: no table can be read or written, none of its columns, and no sequence', async () => {
    for (const { name, columns } of tables) {
      for (const column of columns) {
        for (const sql of [
          `SELECT ${column} FROM ${name}`,
          `UPDATE ${name} SET ${column} = NULL`,
          `INSERT INTO ${name} (${column}) VALUES (NULL)`,
        ]) {
          expect([sql, await codeOf('issuer', sql)]).toEqual([sql, '42501']);
          cases++;
        }
      }
      for (const sql of [`DELETE FROM ${name}`, `TRUNCATE ${name}`, `COPY ${name} TO STDOUT`, `SELECT FROM ${name}`]) {
        expect([sql, await codeOf('issuer', sql)]).toEqual([sql, '42501']);
        cases++;
      }
    }
    const sequences = await run<{ relname: string }>(
      'issuer',
      // In this order: what is no sequence may not be asked about as one, and a planner asks in whichever order it likes.
      `SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace
          AND CASE relkind WHEN 'S' THEN has_sequence_privilege(oid, 'USAGE,SELECT,UPDATE') ELSE false END`,
    );
    expect(sequences).toEqual([]);
  });

  it('every table that holds anything is under forced row-level security, or is nobody’s to read', async () => {
    const open = await run(
      'owner',
      `SELECT c.relname, r.rolname FROM pg_class c CROSS JOIN pg_roles r
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT (c.relrowsecurity AND c.relforcerowsecurity)
          AND r.rolname LIKE 'countersign%' AND (has_any_column_privilege(r.oid, c.oid, 'SELECT,INSERT,UPDATE')
            OR has_table_privilege(r.oid, c.oid, 'SELECT,INSERT,UPDATE,DELETE,TRUNCATE,REFERENCES,TRIGGER'))`,
    );
    expect(open).toEqual([]);
    // A policy for everybody would be one for the roles of next year.
    const everybodys = await run(
      'owner',
      `SELECT tablename, policyname FROM pg_policies WHERE schemaname = 'public' AND 'public' = ANY(roles)`,
    );
    expect(everybodys).toEqual([]);
    roles.record({ cases, figure: `0 rows seen or changed in ${tables.length} tables` });
  });
});
