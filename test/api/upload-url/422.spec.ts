import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { install, type Installation, type Tenant } from '../../support/installation.js';
import { callsBy } from '../calls.js';

const MAX_PUT_BYTES = 5 * 1024 ** 3;

describe('POST /upload-url answers 422', () => {
  let installation: Installation;
  let tenant: Tenant;

  beforeAll(async () => {
    installation = await install();
    tenant = await installation.createTenant({ keyPrefix: 'root/' });
    await tenant.grant({ subject: { type: 'everyone' }, prefix: '' });
    const avatar = { action: 'write', minExpirySeconds: 10, defaultExpirySeconds: 10, maxExpirySeconds: 20 };
    const content = { contentTypes: ['image/*'], minContentLength: 10, maxContentLength: 1000 };
    await callsBy(installation.api, tenant.admin)
      .put('/use-cases/avatar', { ...avatar, ...content })
      .expect(201);
  });
  afterAll(() => installation.close());

  const ask = (body: object) =>
    callsBy(installation.api, tenant.token('alice')).post('/upload-url', {
      bucket: 'files',
      key: 'a',
      contentType: 'image/png',
      contentLength: 100,
      ...body,
    });

  it.each<[string, object, string, object]>([
    [
      'expiry-out-of-range',
      { expiresInSeconds: 299 },
      '/expiresInSeconds',
      { minExpirySeconds: 300, maxExpirySeconds: 900 },
    ],
    [
      'expiry-out-of-range',
      { expiresInSeconds: 1e9 },
      '/expiresInSeconds',
      { minExpirySeconds: 300, maxExpirySeconds: 900 },
    ],
    ['expiry-required', { useCase: 'batch' }, '/expiresInSeconds', { minExpirySeconds: 60, maxExpirySeconds: 604800 }],
    [
      'content-type-not-allowed',
      { useCase: 'avatar', contentType: 'text/html' },
      '/contentType',
      { contentTypes: ['image/*'] },
    ],
    [
      'too-large',
      { useCase: 'avatar', contentLength: 1001 },
      '/contentLength',
      { minContentLength: 10, maxContentLength: 1000 },
    ],
    [
      'too-small',
      { useCase: 'avatar', contentLength: 9 },
      '/contentLength',
      { minContentLength: 10, maxContentLength: 1000 },
    ],
    [
      'too-large',
      { contentLength: MAX_PUT_BYTES + 1 },
      '/contentLength',
      { minContentLength: 0, maxContentLength: MAX_PUT_BYTES },
    ],
    ['overwrite-not-allowed', { overwrite: true }, '/overwrite', { overwrite: false }],
    ['key-too-long', { key: 'k'.repeat(1020) }, '/key', { maxBytes: 1024 }],
    [
      'key-too-long',
      { key: undefined, prefix: `${'p'.repeat(999)}/`, filename: 'f'.repeat(20) },
      '/key',
      { maxBytes: 1024 },
    ],
  ])('%s for %j, with the limits', async (code, body, pointer, limits) => {
    const { body: problem } = await ask(body).expect(422);
    expect(problem).toMatchObject({ type: `/docs/errors#${code}`, status: 422, code });
    expect(problem.errors).toEqual([{ code, pointer, message: expect.any(String), limits }]);
  });

  it.each(['nothing', 'download', 'share', 'one-time'])('use-case-not-found for %j', async (useCase) => {
    const { body: problem } = await ask({ useCase }).expect(422);
    expect(problem.errors).toMatchObject([{ code: 'use-case-not-found', pointer: '/useCase' }]);
  });

  it.each(['put', 'multipart'])('size-range-not-available for %s, which cannot hold to one', async (mode) => {
    const length = { contentLength: undefined, contentLengthRange: { min: 5_242_880, max: 5_242_881 } };
    const { body: problem } = await ask({ mode, ...length, key: `range-of-${mode}` }).expect(422);
    expect(problem.code).toBe('size-range-not-available');
    expect(problem.errors).toMatchObject([{ code: problem.code, pointer: '/contentLengthRange' }]);
    const [event] = await tenant.events({ key: `range-of-${mode}` });
    expect(event).toMatchObject({ decision: 'refused', reason: problem.code, contentLength: null });
    expect(event?.['details']).toMatchObject({ contentLengthRange: length.contentLengthRange });
  });

  it.each(['post', 'auto'])(
    'mode-not-available for %s with a range at the embedded store, which offers no POST policies',
    async (mode) => {
      const form = { mode, contentLength: undefined, contentLengthRange: { min: 1, max: 9 }, key: `form-of-${mode}` };
      const { body: problem } = await ask(form).expect(422);
      expect(problem.errors).toMatchObject([{ code: 'mode-not-available', pointer: '/mode' }]);
      const [event] = await tenant.events({ key: form.key });
      expect(event).toMatchObject({ decision: 'refused', reason: 'mode-not-available', url: null });
    },
  );

  it('not at the limits themselves', async () => {
    for (const body of [
      { useCase: 'avatar', contentLength: 10, expiresInSeconds: 10 },
      { useCase: 'avatar', contentLength: 1000, expiresInSeconds: 20 },
      { contentLength: 0, expiresInSeconds: 300 },
      { contentLength: MAX_PUT_BYTES, expiresInSeconds: 900 },
      { key: 'k'.repeat(1019) },
    ])
      await ask(body).expect(201);
  });

  it('with all violations at once, the first one naming the problem, and a ledger row', async () => {
    const wrong = {
      useCase: 'avatar',
      expiresInSeconds: 21,
      contentType: 'text/html',
      overwrite: true,
      key: 'é'.repeat(510),
    };
    const { body: problem } = await ask({ ...wrong, contentLength: 9 }).expect(422);
    expect(problem.code).toBe('expiry-out-of-range');
    expect(problem.errors.map(({ code }: { code: string }) => code)).toEqual([
      'expiry-out-of-range',
      'content-type-not-allowed',
      'too-small',
      'overwrite-not-allowed',
      'key-too-long',
    ]);
    const [event] = await tenant.events({ key: wrong.key });
    expect(event).toMatchObject({
      action: 'upload-url',
      decision: 'refused',
      reason: 'expiry-out-of-range',
      contentType: 'text/html',
      contentLength: 9,
      details: { method: 'PUT', overwrite: true },
      url: null,
    });
  });
});
