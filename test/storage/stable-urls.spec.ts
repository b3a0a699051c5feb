import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Issued, latestTimeOf, StorageTest, untilRefused } from './storage-fixture.js';

type Stable = Issued & { issuedAt: string; head?: Issued };

let t: StorageTest;
beforeAll(async () => {
  t = await StorageTest.start();
});
afterAll(() => t.stop());

const ask = async (key: string, more: object) => (await t.downloadUrl(key, more)) as Stable;
const read = async (url: string) => {
  const response = await fetch(url);
  return [response.status, await response.text()];
};

describe('a stable URL at the store', () => {
  it('works from the first moment of its window to the last of its life, and not beyond', async () => {
    const body = 'for a cache';
    const key = await t.store(body);
    const brief = { useCase: 'brief', expiresInSeconds: 12, stable: true };
    // The first moments of a window, so that this URL is seen from its start on.
    let first = await ask(key, brief);
    while (Date.now() - Date.parse(first.issuedAt) > 1_000) {
      await sleep(200);
      first = await ask(key, brief);
    }
    expect(await read(first.url)).toEqual([200, body]);

    // The last moments of the window: the same URL, with half of its life left.
    await sleep(Date.parse(first.issuedAt) + 5_200 - Date.now());
    const last = await ask(key, brief);
    expect([last.url, last.expiresAt]).toEqual([first.url, first.expiresAt]);
    expect(await read(last.url)).toEqual([200, body]);
    await sleep(Date.parse(first.issuedAt) + 6_100 - Date.now());
    const next = await ask(key, brief);
    expect(next.url).not.toBe(first.url);

    // Both live; then the first one's end, which is as exact as any.
    await sleep(Date.parse(first.expiresAt) - 1_500 - Date.now());
    expect(await read(first.url)).toEqual([200, body]);
    const refused = await untilRefused(first.expiresAt, () => fetch(first.url));
    expect(refused.status).toBe(403);
    expect(latestTimeOf(refused)).toBeGreaterThanOrEqual(Date.parse(first.expiresAt));
    expect(await read(next.url)).toEqual([200, body]);
  }, 60_000);

  it('works days after the time that it was signed for, which is before its object was', async () => {
    // A store counts from that time. It must not mind that it is long ago, nor that the key that signs is of another day.
    const body = 'long';
    const key = await t.store(body);
    const { url, issuedAt } = await ask(key, { useCase: 'batch', expiresInSeconds: 604_800, stable: true });
    expect(Date.parse(issuedAt) % 302_400_000).toBe(0);
    expect(await read(url)).toEqual([200, body]);
    for (const expiresInSeconds of [86_400, 43_200, 3_600]) {
      const other = await ask(key, { useCase: 'batch', expiresInSeconds, stable: true });
      expect(await read(other.url)).toEqual([200, body]);
    }
  });

  it('gives a cache the same object for the same URL, also in parts', async () => {
    const key = await t.store('0123456789');
    const { url } = await ask(key, { stable: true });
    const part = await fetch(url, { headers: { range: 'bytes=2-4' } });
    expect([part.status, await part.text()]).toEqual([206, '234']);
  });
});

describe('a pair at the store', () => {
  const wishes = [
    {},
    { stable: true },
    { filename: 'naïve (1).txt', stable: true },
    { disposition: 'inline', contentType: 'text/plain; charset=utf-8' },
  ];

  async function expectBoth({ url, head }: Stable, body: string) {
    expect(await read(url)).toEqual([200, body]);
    const probe = await fetch(head!.url, { method: 'HEAD', headers: head!.headers });
    expect([probe.status, probe.headers.get('content-length')]).toEqual([200, String(body.length)]);
    // One URL is one verb: neither works as the other.
    expect((await fetch(url, { method: 'HEAD' })).status).toBe(403);
    expect((await fetch(head!.url)).status).toBe(403);
  }

  it.each(wishes)('has two URLs that work, each for its method alone: %j', async (wish) => {
    const body = 'a pair';
    const key = await t.store(body);
    await expectBoth(await ask(key, { ...wish, withHead: true }), body);
  });

  it('has them in a batch too', async () => {
    const bodies = ['one', 'number two'];
    const keys = await Promise.all(bodies.map((body) => t.store(body)));
    const items = keys.flatMap((key) => wishes.map((wish) => ({ bucket: 'files', key, withHead: true, ...wish })));
    const { api } = t.installation;
    const response = await api.post('/download-urls').auth(t.tenant.token('alice'), { type: 'bearer' }).send({ items });
    const answers = (response.body as { items: { status: number; body: Stable }[] }).items;
    expect(answers.map(({ status }) => status)).toEqual(items.map(() => 201));
    for (const [n, { body }] of answers.entries()) await expectBoth(body, bodies[Math.floor(n / wishes.length)]!);
  });

  it('says of an object that is not there that it is not, by its HEAD', async () => {
    const { head } = await ask(t.freshKey(), { withHead: true });
    expect((await fetch(head!.url, { method: 'HEAD' })).status).toBe(404);
  });
});
