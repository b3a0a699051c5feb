import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { prepareDatabase } from '@countersign/database';
import pg from 'pg';
import { connections, INSERT_LEDGER, type Seed } from './connections.js';

describe('append_to_ledger', () => {
  const entry = (n: number, { tenant, signingKey }: Seed, more = {}) => ({
    n,
    id: randomUUID(),
    tenantId: tenant,
    subject: 's',
    action: 'download-url',
    decision: 'granted',
    signingKeyId: signingKey,
    requestId: 'append',
    ...more,
  });
  const { run, seed } = connections();
  let a: Seed;
  let b: Seed;
  beforeEach(async () => {
    [a, b] = [await seed(), await seed()];
  });

  const append = (entries: object[]) =>
    run<{ n: number }>('issuer', 'SELECT n FROM append_to_ledger($1::jsonb)', [JSON.stringify(entries)]).then((rows) =>
      rows.map(({ n }) => n),
    );
  const appended = async (tenant: string) =>
    (await run('owner', `SELECT id FROM ledger WHERE tenant_id = $1 AND request_id = 'append'`, [tenant])).length;

  it('leaves out rows whose signing key is not active, or is another tenant’s, and takes the others', async () => {
    await run('owner', `UPDATE signing_keys SET state = 'revoked' WHERE id = $1`, [b.signingKey]);
    const stolen = entry(2, a, { tenantId: b.tenant });
    const refusal = entry(3, b, { signingKeyId: null, decision: 'refused' });
    const places = await append([
      entry(0, a),
      entry(1, b),
      stolen,
      refusal,
      entry(4, a, { signingKeyId: randomUUID() }),
    ]);
    expect(places.sort((x, y) => x - y)).toEqual([0, 3]);
    expect([await appended(a.tenant), await appended(b.tenant)]).toEqual([1, 1]);
  });

  it('waits for a rotation that has the key, and then writes nothing under it', async () => {
    // Attack on revocation: a URL signed by the old key after it was counted for the last time.
    await run('owner', 'BEGIN');
    await run('owner', 'SELECT pg_advisory_xact_lock(signing_key_lock($1))', [a.signingKey]);
    const waiting = append([entry(0, a)]);
    await untilBlocked();
    await run('owner', `UPDATE signing_keys SET state = 'revoked' WHERE id = $1`, [a.signingKey]);
    await run('owner', 'COMMIT');
    await expect(waiting).resolves.toEqual([]);
    await expect(appended(a.tenant)).resolves.toBe(0);
  });

  async function untilBlocked(): Promise<void> {
    const waiting = `SELECT 1 FROM pg_locks l JOIN pg_database d ON d.oid = l.database
      WHERE l.locktype = 'advisory' AND NOT l.granted AND d.datname = current_database()`;
    while ((await run('owner', waiting)).length === 0) await sleep(5);
  }
});

describe('The partitions of the ledger', () => {
  const { run } = connections();

  it('keeps rows that come before their month has a partition, and moves them when it gets one', async () => {
    const name = `partitions_${randomUUID().replaceAll('-', '')}`;
    await run('owner', `CREATE DATABASE ${name}`);
    const url = new URL(process.env['TEST_OWNER_URL'] ?? '');
    url.pathname = `/${name}`;
    const late = new pg.Client({ connectionString: url.href });
    try {
      const { partitions } = await prepareDatabase(url.href, 'prisma/migrations', {});
      expect(partitions).toHaveLength(4);
      await late.connect();
      const inMonths = (months: number) =>
        `date_trunc('month', now(), 'UTC') + make_interval(months => ${months}, days => 14)`;
      for (const months of [-1, 0, 5, 9])
        await late.query(INSERT_LEDGER.replace('$3', inMonths(months)), [randomUUID(), randomUUID()]);
      const counts = async () => {
        const sql = 'SELECT tableoid::regclass::text AS part, count(*)::int AS n FROM ledger GROUP BY 1 ORDER BY 1';
        return (await late.query<{ part: string; n: number }>(sql)).rows;
      };
      expect((await counts()).find(({ part }) => part === 'ledger_default')?.n).toBe(3);

      const made = await late.query('SELECT create_ledger_partitions(6)');
      expect(made.rows).toHaveLength(3);
      expect((await late.query('SELECT create_ledger_partitions(6)')).rows).toEqual([]);
      const after = await counts();
      expect(after.map(({ n }) => n).reduce((sum, n) => sum + n)).toBe(4);
      expect(after.find(({ part }) => part === 'ledger_default')?.n).toBe(2);
    } finally {
      await late.end();
      await run('owner', `DROP DATABASE ${name} WITH (FORCE)`);
    }
  });
});
