import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Answer, StableTest } from './stable-fixture.js';

describe('POST /download-url, asked for a HEAD too,', () => {
  let t: StableTest;
  beforeAll(async () => {
    t = await StableTest.start();
  });
  afterAll(() => t.stop());

  const ask = (request: object) => t.ask({ stable: false, ...request });

  it('gives a second URL that a HEAD alone would have had, in one issuance', async () => {
    const wish = { key: 'film.mp4', disposition: 'inline', contentType: 'video/mp4', versionId: 'v1' };
    // In one second, which ends now and then between the two, but not each time.
    const [pair, alone] = await t.withinOneWindow(() =>
      Promise.all([ask({ ...wish, withHead: true }), ask({ ...wish, method: 'HEAD' })]),
    );
    expect(pair?.head).toEqual({ method: 'HEAD', url: alone?.url, headers: {} });
    expect(pair?.url).not.toBe(pair?.head?.url);
    expect(new URL(pair!.url).searchParams.get('x-id')).toBe('GetObject');
    expect(alone).not.toHaveProperty('head');
  });

  it('gives none where it is not asked for', async () => {
    for (const more of [{}, { withHead: false }, { withHead: false, method: 'HEAD' }])
      await expect(ask({ key: 'a', ...more })).resolves.not.toHaveProperty('head');
  });

  it('has one row of the ledger for both, which counts two', async () => {
    const tenant = await t.freshTenant();
    const { issuanceId }: Answer = await t.ask({ key: 'pair', withHead: true, stable: false }, { tenant });
    const rows = await tenant.events({ key: 'pair' });
    expect(rows).toEqual([
      expect.objectContaining({ issuanceId, urlCount: 2, stableUrls: [], details: { method: 'GET', withHead: true } }),
    ]);
    await expect(t.exposure(tenant)).resolves.toMatchObject({ liveUrls: 2, subjects: 1 });
  });
});
