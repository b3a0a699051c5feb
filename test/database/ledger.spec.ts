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

  it('writes of a row what it says, and what it leaves out as its entry says it', async () => {
    const shared = {
      subject: 'first',
      bucket: 'files',
      useCase: 'download',
      userAgent: 'browser',
      contentType: 'image/png',
      contentLength: 5,
      details: { method: 'GET' },
      urlBefore: 'https://store.test/files/',
    };
    const own = {
      subject: 'second',
      requestId: 'another',
      userAgent: 'curl',
      contentType: 'text/plain',
      contentLength: 6,
      details: { method: 'HEAD' },
      url: 'https://store.test/files/%62',
    };
    const [one, two] = [randomUUID(), randomUUID()];
    const { n: _, id: __, ...entryOfMany } = entry(0, a, shared);
    const rows = [
      { n: 0, id: one, key: 'a' },
      { n: 1, id: two, key: 'b', ...own },
    ];
    await expect(append([{ ...entryOfMany, rows }])).resolves.toEqual([0, 1]);
    const written = await run(
      'owner',
      `SELECT id, subject, key, bucket, use_case AS "useCase", user_agent AS "userAgent", content_type AS "contentType",
         content_length::int AS "contentLength", details, url, request_id AS "requestId" FROM ledger WHERE id = ANY ($1) ORDER BY key`,
      [[one, two]],
    );
    const { urlBefore, ...common } = shared;
    expect(written).toEqual([
      { ...common, id: one, key: 'a', url: `${urlBefore}a`, requestId: 'append' },
      { ...common, ...own, id: two, key: 'b' },
    ]);
  });

  describe('of an entry that begins an upload', () => {
    const beginning = (n: number, { bucket, ...owner }: Seed, more = {}) => {
      const id = randomUUID();
      const upload = { bucketId: bucket, mode: 'put', overwrite: false, withheld: true, checksumSha256: 'sum' };
      const rest = { bucket: 'b', key: 'k', useCase: 'upload', contentType: 'text/plain', contentLength: 5 };
      const expiresAt = '2027-01-31T12:00:00.000Z';
      return entry(n, { bucket, ...owner }, { id, issuanceId: id, ...rest, expiresAt, upload: { ...upload, ...more } });
    };
    const uploadsOf = (tenant: string) =>
      run<Record<string, unknown>>(
        'owner',
        `SELECT * FROM uploads WHERE tenant_id = $1 AND key = 'k' AND id IN (SELECT issuance_id FROM ledger)`,
        [tenant],
      );

    it('makes the upload’s row with the ledger’s, and takes of both what the entry says', async () => {
      const made = beginning(0, a);
      await expect(append([made, entry(1, a)])).resolves.toEqual([0, 1]);
      const [row, ...others] = await uploadsOf(a.tenant);
      expect(others).toEqual([]);
      const [event] = await run<{ at: Date }>('owner', 'SELECT at FROM ledger WHERE issuance_id = $1', [made.id]);
      expect(row).toEqual({
        id: made.id,
        tenant_id: a.tenant,
        subject: 's',
        bucket_id: a.bucket,
        bucket: 'b',
        key: 'k',
        use_case: 'upload',
        mode: 'put',
        state: 'pending',
        content_type: 'text/plain',
        content_length: '5',
        min_content_length: null,
        max_content_length: null,
        checksum_sha256: 'sum',
        overwrite: false,
        disposition: null,
        part_size: null,
        part_count: null,
        store_upload_id: null,
        withheld: true,
        created_at: event?.at,
        expires_at: new Date('2027-01-31T12:00:00.000Z'),
        size: null,
        etag: null,
        verified: [],
        mismatches: null,
        finished_at: null,
        looks: 0,
        due_at: new Date('2027-01-31T12:00:00.000Z'),
        attempts: 0,
        lease: null,
        lease_until: null,
      });
    });

    it('looks after a multipart upload a minute after its start, lest it died', async () => {
      await append([beginning(0, a, { mode: 'multipart', partSize: 8_388_608, partCount: 3 })]);
      const [row] = await uploadsOf(a.tenant);
      expect(row).toMatchObject({ part_size: '8388608', part_count: 3 });
      expect(Number(row?.['due_at']) - Number(row?.['created_at'])).toBe(60_000);
    });

    it('makes none where the entry was left out', async () => {
      // Attack: an upload whose URL was never on record, once a rotation has come between.
      await run('owner', `UPDATE signing_keys SET state = 'revoked' WHERE id = $1`, [a.signingKey]);
      await expect(append([beginning(0, a), beginning(1, b)])).resolves.toEqual([1]);
      await expect(
        run('owner', `SELECT FROM uploads WHERE tenant_id = $1 AND use_case = 'upload' AND checksum_sha256 = 'sum'`, [
          a.tenant,
        ]),
      ).resolves.toEqual([]);
      await expect(uploadsOf(b.tenant)).resolves.toHaveLength(1);
    });

    it('appends nothing where the upload cannot be made', async () => {
      const bad = beginning(1, a, { mode: 'carrier-pigeon' });
      await expect(append([beginning(0, a), bad])).rejects.toThrow(/carrier-pigeon/);
      await expect(appended(a.tenant)).resolves.toBe(0);
      await expect(uploadsOf(a.tenant)).resolves.toEqual([]);
    });
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

describe('signing_key_exposure', () => {
  const { run, seed } = connections();

  it('counts every URL of a row, and no row that gave none', async () => {
    // Attack on revocation: a thousand URLs of parts that nobody counts, because one call gave them.
    const { tenant, signingKey } = await seed();
    const issued = (at: string, urlCount: number | null, subject: string, life: string) =>
      run(
        'owner',
        `INSERT INTO ledger (at, id, tenant_id, subject, action, decision, signing_key_id, expires_at, url_count, request_id)
         VALUES ($1, gen_random_uuid(), $2, $3, 'a', 'granted', $4, $1::timestamptz + $5::interval, $6, 'r')`,
        [at, tenant, subject, signingKey, life, urlCount],
      );
    const minutesAgo = (minutes: number) => new Date(Math.floor(Date.now() / 1000) * 1000 - minutes * 60_000);
    const now = minutesAgo(0);
    await issued(minutesAgo(60).toISOString(), 7, 'gone', '1 minute');
    await issued(minutesAgo(30).toISOString(), null, 'one', '1 hour');
    await issued(minutesAgo(20).toISOString(), 1000, 'many', '2 hours');
    await issued(now.toISOString(), 0, 'none', '7 days');
    for (const role of ['operator', 'owner']) {
      const [exposure] = await run(role, 'SELECT * FROM signing_key_exposure($1, $2)', [tenant, signingKey]);
      expect(exposure).toEqual({
        live_urls: '1001',
        subjects: '2',
        latest_expires_at: new Date(minutesAgo(20).getTime() + 7_200_000),
        last_issued_at: minutesAgo(20),
      });
    }
  });
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
