import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { install, type Installation, storeBucket, type Tenant } from '../../support/installation.js';
import { escapedObject, type ItemAnswer, itemsOf, statementsOf } from '../batches.js';
import { asOwner, callsBy } from '../calls.js';

describe('POST /download-urls answers 200', () => {
  let installation: Installation;
  let tenant: Tenant;

  beforeAll(async () => {
    installation = await install();
    tenant = await installation.createTenant();
    await tenant.grant({ subject: { type: 'everyone' }, prefix: 'users/{sub}/' });
    await tenant.grant({ subject: { type: 'everyone' }, prefix: 'shared/', actions: ['read'] });
    const other = { ...storeBucket(), name: 'archive', keyPrefix: 'archive/' };
    await callsBy(installation.api, tenant.admin).post('/buckets', other).expect(201);
    await tenant.grant({ subject: { type: 'everyone' }, bucket: 'archive', prefix: '', actions: ['read'] });
  });
  afterAll(() => installation.close());

  const calls = () => callsBy(installation.api, tenant.token('alice'));
  const post = (items: unknown[]) => calls().post('/download-urls', { items });

  it('with one answer an item, in order: what the single call would have said', async () => {
    const wanted: [object, status: number, code?: string][] = [
      [{ bucket: 'files', key: 'users/alice/a.png', filename: 'a.png' }, 201],
      [{ bucket: 'files', key: 'users/bob/a.png' }, 403, 'not-granted'],
      [{ bucket: 'archive', key: '2027/a.pdf', useCase: 'share', expiresInSeconds: 3_600 }, 201],
      [{ bucket: 'nowhere', key: 'a' }, 404, 'bucket-not-found'],
      [{ bucket: 'files', key: 'shared/a', expiresInSeconds: 1 }, 422, 'expiry-out-of-range'],
      [{ bucket: 'files', key: '../a' }, 400, 'invalid-request'],
      [{ bucket: 'files', key: 'shared/a', method: 'HEAD' }, 201],
      [{ bucket: 'files', key: 'shared/a', method: 'HEAD', withHead: true }, 400, 'invalid-request'],
    ];
    const { body, headers } = await post(wanted.map(([item]) => item)).expect(200);
    expect(headers['cache-control']).toBe('no-store');
    const items = itemsOf({ body });
    expect(items.map((item) => [item.status, item.body.code])).toEqual(
      wanted.map(([, ...outcome]) => (outcome.concat([]).length === 1 ? [outcome[0], undefined] : outcome)),
    );

    for (const [n, [item]] of wanted.entries()) {
      const single = await calls().post('/download-url', item);
      const { status, body: answered } = items[n]!;
      expect(status).toBe(single.status);
      expect(steady(answered)).toEqual(steady(single.body as ItemAnswer['body']));
      if (status !== 201) expect(answered.requestId).toBe(headers['x-request-id']);
    }
  });

  it("with URLs that are the single call's to the byte, where both were issued within one second", async () => {
    const items = [
      { bucket: 'files', key: 'users/alice/naïve "b".pdf', filename: 'naïve.pdf' },
      { bucket: 'archive', key: 'a/b c', useCase: 'batch', expiresInSeconds: 604_800, versionId: 'v+1=' },
      { bucket: 'files', key: 'shared/x.html', contentType: 'text/html', disposition: 'inline' },
    ];
    // Two calls meet the second's end now and then, never ten times in a row.
    for (let attempt = 0; attempt < 10; attempt++) {
      const together = itemsOf(await post(items).expect(200)).map(({ body }) => body);
      const alone: ItemAnswer['body'][] = [];
      for (const item of items) alone.push((await calls().post('/download-url', item).expect(201)).body as never);
      if (alone.some(({ issuedAt }) => issuedAt !== together[0]?.['issuedAt'])) continue;
      expect(together.map(({ url }) => url)).toEqual(alone.map(({ url }) => url));
      return;
    }
    throw new Error('the second ended in each attempt');
  });

  it('for 1,000 items, by three statements, each with an answer and a ledger row of its own', async () => {
    // Attack: somebody else's answer, by a slip in the places of a batch.
    const run = randomUUID();
    const kinds = [
      (key: string) => ({ item: { bucket: 'files', key: `users/alice/${key}` }, reason: null }),
      (key: string) => ({ item: { bucket: 'files', key: `users/bob/${key}` }, reason: 'not-granted' }),
      (key: string) => ({ item: { bucket: 'archive', key }, reason: null }),
      (key: string) => ({ item: { bucket: 'nothing', key }, reason: 'bucket-not-found' }),
      (key: string) => ({
        item: { bucket: 'files', key: `shared/${key}`, useCase: 'x' },
        reason: 'use-case-not-found',
      }),
      (key: string) => ({ item: { bucket: 'files', key: `/${key}` }, reason: 'invalid-request' }),
      (key: string) => ({ item: { bucket: 'files', key: `shared/${key}`, expiresInSeconds: 61 }, reason: null }),
    ];
    const wanted = Array.from({ length: 1_000 }, (_, n) => kinds[(n * n + n) % kinds.length]!(`${run}-${n}`));
    let items: ItemAnswer[] = [];
    const statements = await statementsOf(installation, async () => {
      items = itemsOf(await post(wanted.map(({ item }) => item)).expect(200));
    });
    expect(statements.map(([name]) => name)).toEqual(['find_issuers', 'find_holdings', 'append_to_ledger']);

    const rows = await asOwner<{ key: string; reason: string | null; issuance_id: string | null; url: string | null }>(
      `SELECT * FROM ledger WHERE key LIKE '%' || $1 || '%'`,
      [run],
    );
    const recorded = wanted.filter(({ reason }) => reason !== 'invalid-request');
    expect(rows).toHaveLength(recorded.length);
    const rowOf = new Map(rows.map((row) => [row.key, row]));
    expect(items).toHaveLength(1_000);
    for (const [n, { status, body }] of items.entries()) {
      const { item, reason } = wanted[n]!;
      expect(body.code ?? null).toBe(reason);
      if (reason === 'invalid-request') continue;
      const row = rowOf.get(item.key);
      expect(row).toMatchObject({ reason, bucket: item.bucket, subject: 'alice', action: 'download-url' });
      if (status !== 201) continue;
      expect(body).toMatchObject({ bucket: item.bucket, key: item.key, issuanceId: row?.issuance_id });
      expect(body.url?.split('?')[0]).toBe(row?.url);
    }
    expect(new Set(items.map(({ body }) => body.url).filter(Boolean)).size).toBeGreaterThan(400);
  });

  it('for the largest items there can be, 1,000 of them, however they are written', async () => {
    const full = {
      bucket: 'b'.repeat(255),
      key: 'é'.repeat(512),
      useCase: 'u'.repeat(255),
      expiresInSeconds: Number.MAX_SAFE_INTEGER,
      method: 'HEAD',
      withHead: false,
      stable: false,
      filename: 'f'.repeat(1_024),
      disposition: 'attachment',
      contentType: `image/${'x'.repeat(249)}`,
      versionId: 'v'.repeat(1_024),
    };
    const longest = escapedObject({ ...full, key: 'k'.repeat(1_024) });
    const body = `{"items":[${Array.from({ length: 1_000 }, () => longest).join(', ')}]}`;
    expect(body.length).toBeGreaterThan(23_000_000);
    const items = itemsOf(await calls().postBytes('/download-urls', body).expect(200));
    expect(new Set(items.map((item) => item.body.code))).toEqual(new Set(['bucket-not-found']));
    expect(items).toHaveLength(1_000);
    const plain = itemsOf(await post(Array.from({ length: 1_000 }, () => full)).expect(200));
    expect(plain.filter((item) => item.body.code === 'bucket-not-found')).toHaveLength(1_000);
  }, 60_000);

  it('for the same object twice, as two issuances', async () => {
    const item = { bucket: 'files', key: 'users/alice/twice' };
    const [first, second] = itemsOf(await post([item, item]).expect(200));
    expect([first?.status, second?.status]).toEqual([201, 201]);
    expect(first?.body.issuanceId).not.toBe(second?.body.issuanceId);
    expect(await tenant.events({ key: item.key })).toHaveLength(2);
  });

  it('for items that are all malformed, and asks the database nothing but who calls', async () => {
    const statements = await statementsOf(installation, () => post([null, 1, {}]).expect(200));
    expect(statements.map(([name]) => name)).toEqual(['find_issuers']);
  });
});

/** What does not change from call to call. */
function steady({ issuanceId, issuedAt, expiresAt, url, requestId, ...rest }: ItemAnswer['body']) {
  const address = url?.split('?')[0];
  return { ...rest, address, has: [issuanceId, issuedAt, expiresAt, requestId].map((value) => value !== undefined) };
}
