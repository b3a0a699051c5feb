import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { install, type Installation, type Tenant } from '../../support/installation.js';
import { callsBy } from '../calls.js';

describe('POST /download-url answers 422', () => {
  let installation: Installation;
  let tenant: Tenant;

  beforeAll(async () => {
    installation = await install();
    tenant = await installation.createTenant({ keyPrefix: 'root/' });
    await tenant.grant({ subject: { type: 'everyone' }, prefix: '' });
    const images = { action: 'read', minExpirySeconds: 10, defaultExpirySeconds: null, maxExpirySeconds: 20 };
    await callsBy(installation.api, tenant.admin)
      .put('/use-cases/images', { ...images, contentTypes: ['image/png', 'text/*'] })
      .expect(201);
  });
  afterAll(() => installation.close());

  const ask = (body: object) =>
    callsBy(installation.api, tenant.token('alice')).post('/download-url', { bucket: 'files', key: 'a', ...body });

  // An expiry is refused, never silently changed.
  it.each([
    [{ expiresInSeconds: 59 }, '60 to 3600', { minExpirySeconds: 60, maxExpirySeconds: 3600 }],
    [{ expiresInSeconds: 3_601 }, '60 to 3600', { minExpirySeconds: 60, maxExpirySeconds: 3600 }],
    [{ expiresInSeconds: 1e9 }, '60 to 3600', { minExpirySeconds: 60, maxExpirySeconds: 3600 }],
    [{ expiresInSeconds: 1e21 }, '60 to 3600', { minExpirySeconds: 60, maxExpirySeconds: 3600 }],
    [
      { expiresInSeconds: 3_599, useCase: 'share' },
      '3600 to 86400',
      { minExpirySeconds: 3600, maxExpirySeconds: 86400 },
    ],
    [
      { expiresInSeconds: 604_801, useCase: 'batch' },
      '60 to 604800',
      { minExpirySeconds: 60, maxExpirySeconds: 604800 },
    ],
  ])('expiry-out-of-range for %j, with the range', async (body, range, limits) => {
    const { body: problem } = await ask(body).expect(422);
    expect(problem).toMatchObject({
      type: '/docs/errors#expiry-out-of-range',
      code: 'expiry-out-of-range',
      status: 422,
    });
    expect(problem.errors).toEqual([
      { code: 'expiry-out-of-range', pointer: '/expiresInSeconds', message: expect.stringContaining(range), limits },
    ]);
  });

  it('expiry-required where the use case has no default', async () => {
    const { body: problem } = await ask({ useCase: 'batch' }).expect(422);
    expect(problem.code).toBe('expiry-required');
    expect(problem.errors).toMatchObject([
      {
        code: 'expiry-required',
        pointer: '/expiresInSeconds',
        limits: { minExpirySeconds: 60, maxExpirySeconds: 604800 },
      },
    ]);
  });

  it.each(['nothing', 'upload', 'Download', '__proto__'])('use-case-not-found for %j', async (useCase) => {
    const { body: problem } = await ask({ useCase, expiresInSeconds: 1e9 }).expect(422);
    expect(problem.code).toBe('use-case-not-found');
    expect(problem.errors).toMatchObject([{ code: 'use-case-not-found', pointer: '/useCase' }]);
  });

  it("use-case-not-found for another tenant's use case, and for one that was deleted", async () => {
    const other = await installation.createTenant();
    const own = { action: 'read', minExpirySeconds: 1, defaultExpirySeconds: 1, maxExpirySeconds: 1 };
    const admin = callsBy(installation.api, other.admin);
    await admin.put('/use-cases/theirs', own).expect(201);
    expect((await ask({ useCase: 'theirs' })).body.code).toBe('use-case-not-found');

    await other.grant({ subject: { type: 'everyone' }, prefix: '' });
    const byOther = callsBy(installation.api, other.token('alice'));
    await byOther.post('/download-url', { bucket: 'files', key: 'a', useCase: 'theirs' }).expect(201);
    await admin.delete('/use-cases/theirs').expect(204);
    await byOther.post('/download-url', { bucket: 'files', key: 'a', useCase: 'theirs' }).expect(422);
  });

  it('content-type-not-allowed, and the ranges that are allowed', async () => {
    const wish = { useCase: 'images', expiresInSeconds: 15 };
    for (const contentType of ['image/png', 'IMAGE/PNG; q=1', 'text/csv', undefined])
      await ask({ ...wish, contentType }).expect(201);
    for (const contentType of ['image/jpeg', 'application/text', 'image/png2']) {
      const { body: problem } = await ask({ ...wish, contentType }).expect(422);
      expect(problem.errors).toMatchObject([
        {
          code: 'content-type-not-allowed',
          pointer: '/contentType',
          limits: { contentTypes: ['image/png', 'text/*'] },
        },
      ]);
    }
  });

  it("key-too-long where the key is only too long behind the bucket's prefix", async () => {
    await ask({ key: 'k'.repeat(1019) }).expect(201);
    const { body: problem } = await ask({ key: 'k'.repeat(1020) }).expect(422);
    expect(problem.code).toBe('key-too-long');
    expect(problem.errors).toMatchObject([{ code: 'key-too-long', pointer: '/key', limits: { maxBytes: 1024 } }]);
  });

  it('with all violations at once, the first one naming the problem, and a ledger row', async () => {
    const wrong = { useCase: 'images', expiresInSeconds: 9, contentType: 'video/mp4', key: 'é'.repeat(510) };
    const { body: problem } = await ask(wrong).expect(422);
    expect(problem.code).toBe('expiry-out-of-range');
    expect(problem.errors.map(({ code }: { code: string }) => code)).toEqual([
      'expiry-out-of-range',
      'content-type-not-allowed',
      'key-too-long',
    ]);
    const [event] = await tenant.events({ key: wrong.key });
    expect(event).toMatchObject({
      decision: 'refused',
      reason: 'expiry-out-of-range',
      useCase: 'images',
      contentType: 'video/mp4',
      requestId: problem.requestId,
      url: null,
      expiresAt: null,
    });
  });

  it('only to those who are granted the key', async () => {
    // Attack: a tenant's policy read by somebody without a grant.
    const closed = await installation.createTenant();
    await closed.grant({ subject: { type: 'everyone' }, key: 'a' });
    const calls = callsBy(installation.api, closed.token('alice'));
    const body = { bucket: 'files', key: 'b', expiresInSeconds: 1e9 };
    expect((await calls.post('/download-url', body)).body).toMatchObject({ status: 403, code: 'not-granted' });
  });
});
