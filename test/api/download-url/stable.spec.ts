import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { callsBy } from '../calls.js';
import { type Answer, StableTest } from './stable-fixture.js';

describe('POST /download-url, asked for a stable URL,', () => {
  let t: StableTest;
  beforeAll(async () => {
    t = await StableTest.start();
  });
  afterAll(() => t.stop());

  const urlsOf = (answers: Answer[]) => new Set(answers.map(({ url }) => url));

  it('gives 1,000 requests for the same object two URLs at most, and each a row of its own', async () => {
    const fresh = await t.freshTenant();
    const began = Date.now();
    const answers: Answer[] = [];
    for (let hundred = 0; hundred < 10; hundred++) {
      const asked = Array.from({ length: 100 }, (_, n) =>
        t.ask({ key: 'a.png', expiresInSeconds: 3_600 }, { replica: n % 2, by: `user-${n}`, tenant: fresh }),
      );
      answers.push(...(await Promise.all(asked)));
    }
    const ended = Date.now();
    expect(urlsOf(answers).size).toBeLessThanOrEqual(2);

    for (const { issuedAt, expiresAt, expiresInSeconds } of answers) {
      expect(Date.parse(issuedAt) % 1_800_000).toBe(0);
      expect([Date.parse(expiresAt) - Date.parse(issuedAt), expiresInSeconds]).toEqual([3_600_000, 3_600]);
      // Half of it at the least; and the use case's maximum is 3,600 seconds.
      expect(Date.parse(expiresAt) - began).toBeGreaterThan(1_800_000);
      expect(Date.parse(expiresAt) - ended).toBeLessThanOrEqual(3_600_000);
    }
    const rows = await t.rows('a.png', fresh);
    expect(new Set(rows.map(({ issuanceId }) => issuanceId))).toEqual(
      new Set(answers.map(({ issuanceId }) => issuanceId)),
    );
    expect(rows).toHaveLength(1_000);
    await expect(t.exposure(fresh)).resolves.toEqual({
      liveUrls: urlsOf(answers).size,
      subjects: 100,
      latestExpiresAt: answers
        .map(({ expiresAt }) => expiresAt)
        .toSorted()
        .at(-1),
    });
  }, 180_000);

  it('gives the same bytes whoever asks, whichever replica answers, alone or in a batch', async () => {
    const request = { key: 'album/ü 1.png', filename: 'naïve.png', contentType: 'image/png', withHead: true };
    const inBatch = async (replica: number) => {
      const calls = callsBy(t.replicas[replica]!.api, t.tenant.token('carol'));
      const items = [{ bucket: 'files', stable: true, ...request }];
      const { body } = await calls.post('/download-urls', { items }).expect(200);
      return (body as { items: { body: Answer }[] }).items[0]!.body;
    };
    const answers = await t.withinOneWindow(() =>
      Promise.all([
        t.ask(request),
        t.ask(request, { replica: 1, by: 'bob' }),
        t.ask({ ...request, expiresInSeconds: 900 }, { replica: 1 }),
        inBatch(0),
        inBatch(1),
      ]),
    );
    expect(urlsOf(answers).size).toBe(1);
    expect(new Set(answers.map(({ head }) => head?.url)).size).toBe(1);
    expect(new Set(answers.map(({ issuanceId }) => issuanceId)).size).toBe(5);
    const [first, ...others] = answers.map(({ issuanceId: _, ...rest }) => rest);
    for (const other of others) expect(other).toEqual(first);
  });

  it('signs at the start of the window that its answer names, with the whole expiry', async () => {
    const { url, issuedAt, expiresAt, expiresInSeconds } = await t.ask({ key: 'a', expiresInSeconds: 61 });
    expect(Date.parse(issuedAt) % 30_000).toBe(0);
    const query = new URL(url).searchParams;
    expect(query.get('X-Amz-Date')).toBe(issuedAt.replace(/[-:]|\.000/g, ''));
    expect([query.get('X-Amz-Expires'), expiresInSeconds]).toEqual(['61', 61]);
    expect(Date.parse(expiresAt)).toBe(Date.parse(issuedAt) + 61_000);
    const [row] = await t.rows('a');
    expect(row?.expiresAt).toBe(expiresAt);
  });

  it('gives another URL for whatever else is asked', async () => {
    const key = `other/${randomUUID()}`;
    const others = [
      { key },
      { key: `${key}2` },
      { key, filename: 'a.png' },
      { key, disposition: 'attachment' },
      { key, contentType: 'image/png' },
      { key, versionId: '1' },
      { key, method: 'HEAD' },
      { key, expiresInSeconds: 901 },
    ];
    const answers = await Promise.all(others.map((other) => t.ask(other)));
    expect(urlsOf(answers).size).toBe(others.length);
  });

  it('has a new URL in the next window, while the last one still lives; each counts while it does', async () => {
    const tenant = await t.freshTenant();
    const seen = new Map<string, Set<string>>();
    const ends = new Map<string, number>();
    const until = Date.now() + 7_000;
    while (Date.now() < until) {
      const asked = Date.now();
      const { url, issuedAt, expiresAt } = await t.ask({ key: 'a', useCase: 'brief' }, { tenant });
      expect(Date.parse(issuedAt) % 2_000).toBe(0);
      expect(Date.parse(expiresAt) - asked).toBeGreaterThan(2_000);
      expect(Date.parse(expiresAt) - Date.now()).toBeLessThanOrEqual(4_000);
      seen.set(issuedAt, (seen.get(issuedAt) ?? new Set()).add(url));
      ends.set(url, Date.parse(expiresAt));
      await sleep(100);
    }
    expect(seen.size).toBeGreaterThanOrEqual(3);
    for (const urls of seen.values()) expect(urls.size).toBe(1);

    const countAlive = () => [...ends.values()].filter((end) => end > Date.now()).length;
    for (;;) {
      const before = countAlive();
      const { liveUrls } = await t.exposure(tenant);
      // Between two counts that agree nothing has expired.
      if (before !== countAlive()) continue;
      expect(liveUrls).toBe(before);
      if (before === 0) break;
      await sleep(300);
    }
  }, 90_000);

  it('names the URL in its rows: the same name, the same URL, and nothing of the signature', async () => {
    const key = `named/${randomUUID()}`;
    const answers = [
      await t.ask({ key }),
      await t.ask({ key, withHead: true }),
      await t.ask({ key, method: 'HEAD' }),
      await t.ask({ key, stable: false }),
    ];
    const rows = await t.rows(key);
    expect(rows.map(({ issuanceId }) => issuanceId)).toEqual(answers.map(({ issuanceId }) => issuanceId));
    expect(rows.map(({ urlCount, stableUrls }) => [urlCount, stableUrls.length])).toEqual([
      [null, 1],
      [2, 2],
      [null, 1],
      [null, 0],
    ]);
    const urlOf = new Map<string, Set<string>>();
    const nameOf = new Map<string, Set<string>>();
    for (const [n, { stableUrls }] of rows.entries()) {
      const { url, head } = answers[n]!;
      for (const [at, name] of stableUrls.entries()) {
        const its = at === 0 ? url : String(head?.url);
        urlOf.set(name, (urlOf.get(name) ?? new Set()).add(its));
        nameOf.set(its, (nameOf.get(its) ?? new Set()).add(name));
        expect(name).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/);
      }
    }
    for (const each of [...urlOf.values(), ...nameOf.values()]) expect(each.size).toBe(1);
    expect(rows.map(({ details }) => details)).toEqual([
      { method: 'GET', stable: true },
      { method: 'GET', withHead: true, stable: true },
      { method: 'HEAD', stable: true },
      { method: 'GET' },
    ]);
    // Attack: the ledger's reader takes what it needs for a signature from the name.
    const signatures = answers.map(({ url }) => new URL(url).searchParams.get('X-Amz-Signature')!);
    const told = JSON.stringify(rows).replaceAll('-', '');
    for (const signature of signatures) expect(told).not.toContain(signature.slice(0, 16));
  });

  it('names them for each item of a batch by itself', async () => {
    const [one, other] = [`batch/${randomUUID()}`, `batch/${randomUUID()}`];
    const items = [
      { key: one, stable: true },
      { key: one, stable: true, withHead: true },
      { key: one, withHead: true },
      { key: other, stable: true },
      { key: one },
      { key: other, stable: true },
    ].map((item) => ({ bucket: 'files', expiresInSeconds: 3_600, ...item }));
    const calls = callsBy(t.replicas[0].api, t.tenant.token('alice'));
    const { body } = await calls.post('/download-urls', { items }).expect(200);
    const ids = (body as { items: { body: Answer }[] }).items.map((item) => item.body.issuanceId);
    const rows = [...(await t.rows(one)), ...(await t.rows(other))];
    const [a, pair, plainPair, b, plain, c] = ids.map((id) => rows.find(({ issuanceId }) => issuanceId === id)!);
    expect(a!.stableUrls).toEqual([pair!.stableUrls[0]]);
    expect(b!.stableUrls).toEqual(c!.stableUrls);
    expect(new Set([...pair!.stableUrls, ...b!.stableUrls]).size).toBe(3);
    expect([plainPair!.stableUrls, plain!.stableUrls]).toEqual([[], []]);
    expect([a, pair, plainPair, b, plain, c].map((row) => row!.urlCount)).toEqual([null, 2, 2, null, null, null]);
  });

  it('counts each URL once under the signing key, however it was asked for, and all others as ever', async () => {
    const wishes = [
      { key: 'a' },
      { key: 'a' },
      { key: 'a', withHead: true },
      { key: 'a', withHead: true },
      { key: 'a', method: 'HEAD' },
      { key: 'b', method: 'HEAD' },
      { key: 'c', withHead: true },
      { key: 'a', stable: false },
      { key: 'a', stable: false, withHead: true },
    ].map((wish) => ({ expiresInSeconds: 3_600, ...wish }));
    let tenant = t.tenant;
    await t.withinOneWindow(async () => {
      tenant = await t.freshTenant();
      const answers = await Promise.all(wishes.map((wish) => t.ask(wish, { tenant })));
      return answers.filter((_, n) => wishes[n]?.stable !== false);
    });
    // GET a, HEAD a, HEAD b, GET c, HEAD c; and three that are not stable.
    await expect(t.exposure(tenant)).resolves.toMatchObject({ liveUrls: 8 });
  });

  it('ends with the credential where that comes first, at the same moment for everybody', async () => {
    const ends = new Date(Math.floor(Date.now() / 1000) * 1000 + 300_000);
    const credentials = {
      accessKeyId: 'ASIASESSION',
      secretAccessKey: 'secret-of-a-session',
      sessionToken: 'token/of+a==session',
    };
    const tenant = await t.freshTenant({ credentials: { ...credentials, expiresAt: ends.toISOString() } });
    const [first, second] = await t.withinOneWindow(async () => [
      await t.ask({ key: 'a', expiresInSeconds: 3_600 }, { tenant }),
      (await sleep(1_100), await t.ask({ key: 'a', expiresInSeconds: 3_600 }, { tenant, replica: 1 })),
    ]);
    expect(second?.url).toBe(first?.url);
    for (const { issuedAt, expiresAt, expiresInSeconds, expiryLimitedBy } of [first!, second!]) {
      if (expiryLimitedBy === null) throw new Error('the credential was to end first');
      expect([expiryLimitedBy, expiresAt]).toEqual(['credential', ends.toISOString()]);
      expect(Date.parse(issuedAt) + expiresInSeconds * 1000).toBe(ends.getTime());
    }
  });

  it('is refused to whoever may not read the object, and no longer given once the grant is gone', async () => {
    // Attack: the URL of somebody who may is asked for by somebody who may not, within its window.
    const tenant = await t.replicas[0].createTenant();
    const grant = await tenant.grant({ subject: { type: 'user', id: 'alice' }, prefix: '' });
    await tenant.grant({ subject: { type: 'everyone' }, prefix: 'public/' });
    await t.ask({ key: 'a', expiresInSeconds: 3_600 }, { tenant });
    const calls = (by: string) => callsBy(t.replicas[1].api, tenant.token(by));
    const request = { bucket: 'files', key: 'a', expiresInSeconds: 3_600, stable: true };
    await calls('bob').post('/download-url', request).expect(403);
    await callsBy(t.replicas[0].api, tenant.admin).delete(`/grants/${grant}`).expect(204);
    await calls('alice').post('/download-url', request).expect(403);
  });

  it('within the range of the use case as ever', async () => {
    const calls = callsBy(t.replicas[0].api, t.tenant.token('alice'));
    for (const expiresInSeconds of [59, 3_601])
      await calls.post('/download-url', { bucket: 'files', key: 'a', stable: true, expiresInSeconds }).expect(422);
    const upload = { bucket: 'files', key: 'a', contentType: 'text/plain', contentLength: 1, stable: true };
    expect((await calls.post('/upload-url', upload).expect(400)).body).toMatchObject({
      errors: [{ pointer: '/stable' }],
    });
  });
});
