import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, it } from '@jest/globals';
import {
  connections,
  INSERT_BUCKET,
  INSERT_GRANT,
  INSERT_IDEMPOTENCY_KEY,
  INSERT_KEY,
  INSERT_LEDGER,
  INSERT_UPLOAD,
  INSERT_USE_CASE,
  ROLES,
  type Seed,
} from './connections.js';

const TENANT_TABLES = [
  'issuers',
  'buckets',
  'signing_keys',
  'key_issuers',
  'rotations',
  'grants',
  'use_cases',
  'ledger',
  'uploads',
  'idempotency_keys',
  'used_quotas',
];
const WRITES = ['UPDATE', 'DELETE', 'TRUNCATE'];

/** Invariants 6 and 7, by connections as the API makes them. */
describe('The runtime roles', () => {
  const { run, codeOf, seed } = connections();
  let a: Seed;
  let b: Seed;
  beforeEach(async () => {
    [a, b] = [await seed(), await seed()];
  });

  /** As administration works: one transaction, one tenant. */
  async function asTenant<T>(tenant: string, work: () => Promise<T>): Promise<T> {
    await run('api', 'BEGIN');
    await run('api', `SELECT set_config('countersign.tenant_id', $1, true)`, [tenant]);
    try {
      return await work();
    } finally {
      await run('api', 'ROLLBACK');
    }
  }

  it('are no superuser, own nothing, bypass nothing and can become nobody else', async () => {
    for (const role of ROLES) {
      const [self] = await run(
        role,
        `SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication FROM pg_roles WHERE rolname = current_user`,
      );
      expect(self).toEqual({
        rolsuper: false,
        rolbypassrls: false,
        rolcreaterole: false,
        rolcreatedb: false,
        rolreplication: false,
      });
      const memberships = await run(
        role,
        `SELECT rolname FROM pg_roles WHERE pg_has_role(current_user, oid, 'MEMBER') AND rolname <> current_user`,
      );
      expect(memberships).toEqual([{ rolname: `countersign_${role}` }]);
      await expect(
        run(role, `SELECT relname FROM pg_class WHERE pg_has_role(current_user, relowner, 'MEMBER')`),
      ).resolves.toEqual([]);
      await expect(
        run(role, `SELECT proname FROM pg_proc WHERE pg_has_role(current_user, proowner, 'MEMBER')`),
      ).resolves.toEqual([]);
      await expect(codeOf(role, 'CREATE TABLE public.mine (a int)')).resolves.toBe('42501');
      await expect(codeOf(role, 'SET ROLE postgres')).resolves.toBe('42501');
      for (const other of ROLES.filter((name) => name !== role))
        await expect(codeOf(role, `SET ROLE countersign_${other}`)).resolves.toBe('42501');
    }
  });

  it('api sees no row of any table until a tenant is set', async () => {
    // Attack: a code path that forgot to say whose rows it wants.
    for (const table of [...TENANT_TABLES, 'tenants']) {
      const column = ['signing_keys', 'key_issuers', 'idempotency_keys'].includes(table) ? 'tenant_id' : '1';
      const seen = await codeOf('api', `SELECT ${column} FROM ${table}`);
      expect([table, seen]).toEqual([table, ['issuers', 'tenants', 'used_quotas'].includes(table) ? '42501' : []]);
    }
    await expect(codeOf('api', INSERT_LEDGER, [randomUUID(), a.tenant, new Date()])).resolves.toBe('42501');
  });

  it("api sees and changes its tenant's rows, and no other's", async () => {
    for (const table of ['buckets', 'signing_keys', 'grants', 'use_cases', 'ledger', 'uploads', 'idempotency_keys']) {
      await asTenant(a.tenant, async () => {
        const rows = await run('api', `SELECT tenant_id FROM ${table}`);
        expect([table, rows]).toEqual([table, [{ tenant_id: a.tenant }]]);
      });
    }
    const foreign: [string, unknown[]][] = [
      [INSERT_BUCKET.replace(`'b'`, `'c'`), [randomUUID(), b.tenant]],
      [INSERT_KEY, [randomUUID(), b.tenant, b.bucket, 'revoked']],
      [INSERT_GRANT, [randomUUID(), b.tenant, b.bucket]],
      [INSERT_USE_CASE, [b.tenant, 'other']],
      [INSERT_LEDGER, [randomUUID(), b.tenant, new Date()]],
      [INSERT_IDEMPOTENCY_KEY, [b.tenant, 'other']],
      ['UPDATE buckets SET tenant_id = $1', [b.tenant]],
      ['UPDATE uploads SET tenant_id = $1', [b.tenant]],
    ];
    for (const [sql, values] of foreign)
      await asTenant(a.tenant, async () => expect(await codeOf('api', sql, values)).toBe('42501'));
    for (const table of ['buckets', 'grants', 'use_cases', 'uploads']) {
      await asTenant(a.tenant, async () => {
        expect(
          await run('api', `UPDATE ${table} SET created_at = now() WHERE tenant_id = $1 RETURNING 1`, [b.tenant]),
        ).toEqual([]);
        expect(await run('api', `DELETE FROM ${table} WHERE tenant_id = $1 RETURNING 1`, [b.tenant])).toEqual([]);
      });
    }
    await asTenant('', async () => expect(await run('api', 'SELECT 1 FROM buckets')).toEqual([]));
  });

  it('api writes secrets and never reads them, not even sealed', async () => {
    await asTenant(a.tenant, async () =>
      expect(await codeOf('api', 'SELECT sealed_credential FROM signing_keys')).toBe('42501'),
    );
    await asTenant(a.tenant, async () => expect(await codeOf('api', 'SELECT * FROM signing_keys')).toBe('42501'));
    await asTenant(a.tenant, async () =>
      expect(
        await codeOf('api', `${INSERT_KEY} RETURNING sealed_credential`, [randomUUID(), a.tenant, a.bucket, 'revoked']),
      ).toBe('42501'),
    );
    await asTenant(a.tenant, async () =>
      expect(await codeOf('api', INSERT_KEY, [randomUUID(), a.tenant, a.bucket, 'revoked'])).toEqual([]),
    );
    await asTenant(a.tenant, async () =>
      expect(await codeOf('api', 'SELECT sealed_credential FROM key_issuers')).toBe('42501'),
    );
  });

  it('row-level security is forced on every table that has a tenant', async () => {
    const rows = await run<{ relname: string }>(
      'owner',
      `SELECT c.relname FROM pg_class c JOIN pg_attribute t ON t.attrelid = c.oid AND t.attname = 'tenant_id'
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
          AND c.relrowsecurity AND c.relforcerowsecurity`,
    );
    expect(rows.map(({ relname }) => relname).sort()).toEqual([...TENANT_TABLES].sort());
    const [unforced] = await run(
      'owner',
      `SELECT count(*)::int AS n FROM pg_class WHERE relname = 'tenants' AND relforcerowsecurity`,
    );
    expect(unforced).toEqual({ n: 1 });
  });

  it('none can update, delete or truncate the ledger or any part of it, or go around it', async () => {
    // Attack: take back the evidence.
    const parts = await run<{ name: string }>(
      'owner',
      `SELECT relid::regclass::text AS name FROM pg_partition_tree('ledger')`,
    );
    expect(parts.length).toBeGreaterThanOrEqual(6);
    for (const role of ROLES) {
      for (const { name } of parts) {
        for (const privilege of WRITES) {
          const [held] = await run(role, 'SELECT has_table_privilege($1, $2) AS held', [name, privilege]);
          expect([role, name, privilege, held]).toEqual([role, name, privilege, { held: false }]);
        }
        if (name !== 'ledger') await expect(codeOf(role, `SELECT 1 FROM ${name}`)).resolves.toBe('42501');
      }
      await expect(codeOf(role, `UPDATE ledger SET subject = 'x'`)).resolves.toBe('42501');
      await expect(codeOf(role, 'DELETE FROM ledger')).resolves.toBe('42501');
      await expect(codeOf(role, 'TRUNCATE ledger')).resolves.toBe('42501');
      await expect(codeOf(role, 'DROP TABLE ledger_default')).resolves.toBe('42501');
      await expect(codeOf(role, 'SELECT create_ledger_partitions(1)')).resolves.toBe('42501');
    }
  });

  it('issuer has no privilege on any table, and on no function of ours but eight', async () => {
    const relations = await run(
      'issuer',
      `SELECT c.relname, p.privilege FROM pg_class c
         CROSS JOIN unnest(ARRAY['SELECT','INSERT','UPDATE','DELETE','TRUNCATE','REFERENCES','TRIGGER']) AS p(privilege)
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
          AND (has_table_privilege(c.oid, p.privilege)
            OR (p.privilege IN ('SELECT', 'INSERT', 'UPDATE', 'REFERENCES') AND has_any_column_privilege(c.oid, p.privilege)))`,
    );
    expect(relations).toEqual([]);
    const functions = await run<{ proname: string }>(
      'issuer',
      `SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND has_function_privilege(oid, 'EXECUTE') ORDER BY 1`,
    );
    // What row-level security asks is anybody's: it reads a setting of the caller's own.
    const names = functions.map(({ proname }) => proname).filter((name) => name !== 'current_tenant_id');
    expect(names).toEqual([
      'append_once',
      'append_to_ledger',
      'applied_migrations',
      'find_holdings',
      'find_idempotency_keys',
      'find_issuers',
      'find_tenants',
      'use_quotas',
    ]);
    const definers = await run<{ proname: string }>(
      'owner',
      `SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND prosecdef
          AND NOT coalesce(proconfig::text LIKE '%search_path=pg_catalog%', false)`,
    );
    expect(definers).toEqual([]);
  });

  it('none can make an upload that the ledger knows nothing of', async () => {
    // Attack: an upload that nobody was granted.
    for (const role of ROLES)
      await expect(codeOf(role, INSERT_UPLOAD, [randomUUID(), a.tenant, a.bucket])).resolves.toBe('42501');
  });

  it('none but the append can keep terms that are signed again, or read them', async () => {
    // Attack: terms that the ledger knows nothing of, for the issuing calls to sign.
    for (const role of ROLES) {
      for (const sql of [
        `INSERT INTO idempotency_keys (tenant_id, subject, key, fingerprint, issuances, expires_at) VALUES ($1, 's', 'mine', 'f', '{}', now())`,
        `UPDATE idempotency_keys SET issuances = '{}' WHERE tenant_id = $1`,
        `UPDATE idempotency_keys SET fingerprint = 'f' WHERE tenant_id = $1`,
        `SELECT issuances FROM idempotency_keys WHERE tenant_id = $1`,
      ])
        await expect(codeOf(role, sql, [a.tenant])).resolves.toBe('42501');
    }
  });

  it('a grant or a signing key cannot point at the bucket of another tenant, even for the owner', async () => {
    await expect(codeOf('owner', INSERT_GRANT, [randomUUID(), a.tenant, b.bucket])).resolves.toBe('23503');
    await expect(codeOf('owner', INSERT_KEY, [randomUUID(), a.tenant, b.bucket, 'revoked'])).resolves.toBe('23503');
    await expect(
      codeOf('owner', 'UPDATE grants SET bucket_id = $2 WHERE tenant_id = $1', [a.tenant, b.bucket]),
    ).resolves.toBe('23503');
  });

  it('a bucket never has two active signing keys', async () => {
    await expect(codeOf('owner', INSERT_KEY, [randomUUID(), a.tenant, a.bucket, 'active'])).resolves.toBe('23505');
    await expect(codeOf('owner', INSERT_KEY, [randomUUID(), a.tenant, a.bucket, 'revoked'])).resolves.toEqual([]);
  });
});
