import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { connections, type Seed } from './connections.js';

describe('append_once', () => {
  const { run, seed } = connections();
  let a: Seed;
  let b: Seed;
  beforeEach(async () => {
    [a, b] = [await seed(), await seed()];
  });

  const entry = ({ tenant, signingKey }: Seed, more = {}) => ({
    n: 0,
    id: randomUUID(),
    tenantId: tenant,
    subject: 's',
    action: 'download-url',
    decision: 'granted',
    signingKeyId: signingKey,
    requestId: 'once',
    ...more,
  });
  const request = (
    n: number,
    owner: Seed,
    more: { key?: string; entries?: object[]; [name: string]: unknown } = {},
  ) => ({
    n,
    tenantId: owner.tenant,
    subject: 's',
    key: 'k',
    fingerprint: 'f',
    issuances: { 0: 'terms' },
    entries: [entry(owner)],
    rows: more.entries?.length ?? 1,
    ...more,
  });
  const once = (requests: object[]) =>
    run<{ n: number }>('issuer', 'SELECT append_once AS n FROM append_once($1::jsonb)', [
      JSON.stringify(requests),
    ]).then((rows) => rows.map(({ n }) => n).toSorted((x, y) => x - y));
  const appended = async ({ tenant }: Seed) =>
    (await run('owner', `SELECT id FROM ledger WHERE tenant_id = $1 AND request_id = 'once'`, [tenant])).length;
  const kept = async ({ tenant }: Seed, key = 'k') =>
    (
      await run<Record<string, unknown>>('owner', 'SELECT * FROM idempotency_keys WHERE tenant_id = $1 AND key = $2', [
        tenant,
        key,
      ])
    )[0];

  it('records all of a request’s entries, and keeps what was granted for 24 hours', async () => {
    const refusal = entry(a, { decision: 'refused', signingKeyId: undefined });
    await expect(once([request(3, a, { entries: [entry(a), refusal, entry(a)] })])).resolves.toEqual([3]);
    expect(await appended(a)).toBe(3);
    expect(await kept(a)).toMatchObject({ fingerprint: 'f', issuances: { 0: 'terms' }, answer: null, subject: 's' });
    const [{ hours } = { hours: 0 }] = await run<{ hours: number }>(
      'owner',
      `SELECT round(extract(epoch FROM expires_at - now()) / 3600)::int AS hours FROM idempotency_keys WHERE tenant_id = $1 AND key = 'k'`,
      [a.tenant],
    );
    expect(hours).toBe(24);
  });

  it('of several that come together with one key takes one, of others all', async () => {
    await expect(
      once([
        request(0, a),
        request(1, a),
        request(2, b),
        request(3, a, { key: 'l' }),
        request(4, a, { fingerprint: 'g' }),
      ]),
    ).resolves.toEqual([0, 2, 3]);
    expect([await appended(a), await appended(b)]).toEqual([2, 1]);
  });

  it('takes nothing of a request one of whose signing keys is not active, or is another tenant’s: its key stays free', async () => {
    // Attack: terms that are kept, and signed ever after, though a rotation came before they were on record.
    await run('owner', `UPDATE signing_keys SET state = 'retiring' WHERE id = $1`, [b.signingKey]);
    const mixed = request(1, b, { entries: [entry(b, { signingKeyId: undefined, decision: 'refused' }), entry(b)] });
    const stolen = request(2, b, { key: 'l', entries: [entry(b, { signingKeyId: a.signingKey })] });
    await expect(once([request(0, a), mixed, stolen])).resolves.toEqual([0]);
    expect([await appended(b), await kept(b), await kept(b, 'l')]).toEqual([0, undefined, undefined]);
    await run('owner', `UPDATE signing_keys SET state = 'active' WHERE id = $1`, [b.signingKey]);
    await expect(once([mixed])).resolves.toEqual([1]);
  });

  it('takes nothing where the key is kept for another request, for one of the same items, or for an answer', async () => {
    await once([request(0, a)]);
    for (const more of [{ fingerprint: 'g', issuances: { 1: 'x' } }, {}, { issuances: { 0: 'x', 1: 'x' } }])
      await expect(once([request(0, a, more)])).resolves.toEqual([]);
    await expect(once([request(0, a, { key: 'own' })])).resolves.toEqual([]);
    expect([await appended(a), await kept(a)]).toMatchObject([1, { fingerprint: 'f', issuances: { 0: 'terms' } }]);
  });

  it('adds other items of the same request, and does not prolong what is kept', async () => {
    await once([request(0, a)]);
    const before = await kept(a);
    await expect(once([request(0, a, { issuances: { 1: 'x' } })])).resolves.toEqual([0]);
    expect(await kept(a)).toEqual({ ...before, issuances: { 0: 'terms', 1: 'x' } });
  });

  it('takes a key anew whose day is over, whatever was kept under it', async () => {
    await once([request(0, a)]);
    await run('owner', `UPDATE idempotency_keys SET expires_at = now() WHERE tenant_id = $1`, [a.tenant]);
    for (const key of ['k', 'own'])
      await expect(once([request(0, a, { key, fingerprint: 'g', issuances: { 7: 'x' } })])).resolves.toEqual([0]);
    for (const key of ['k', 'own'])
      expect(await kept(a, key)).toMatchObject({ fingerprint: 'g', issuances: { 7: 'x' }, answer: null });
  });

  it('in two transactions at once: the second waits for the first, and then finds the key taken; of many keys none waits for ever', async () => {
    const others = await Promise.all(
      [0, 1].map(async () => {
        const client = new pg.Client({ connectionString: process.env['DATABASE_ISSUER_URL'] });
        await client.connect();
        return client;
      }),
    );
    try {
      const keys = Array.from({ length: 40 }, (_, n) => `k${n}`);
      for (let round = 0; round < 10; round++) {
        const mark = `${round}-`;
        const answers = await Promise.all(
          others.map(async (client, n) => {
            const ordered = n === 0 ? keys : keys.toReversed();
            const requests = ordered.map((key, at) => request(at, a, { key: mark + key }));
            return (await client.query('SELECT append_once($1::jsonb)', [JSON.stringify(requests)])).rows.length;
          }),
        );
        expect(answers[0]! + answers[1]!).toBe(keys.length);
      }
      expect(await appended(a)).toBe(400);
    } finally {
      await Promise.all(others.map((client) => client.end()));
    }
  });
});
