import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { install, type Installation } from '../../support/installation.js';

const ORIGIN = 'https://app.example.com';
const FOREIGN = 'https://elsewhere.example.com';

let installation: Installation;
beforeAll(async () => {
  installation = await install({ CORS_ORIGINS: ORIGIN });
});
afterAll(() => installation.close());

const preflight = (origin: string) =>
  installation.api.options('/download-url').set({ origin, 'access-control-request-method': 'POST' });

describe('A preflight', () => {
  it('tells an allowed origin what it may send', async () => {
    const { status, headers } = await preflight(ORIGIN);
    expect(status).toBe(204);
    expect(headers).toMatchObject({
      'access-control-allow-origin': ORIGIN,
      'access-control-allow-methods': 'GET, POST, PUT, PATCH, DELETE',
      'access-control-allow-headers': 'Authorization, Content-Type, Idempotency-Key, If-Match',
      'access-control-max-age': '600',
      vary: 'Origin',
    });
  });

  it('allows no other origin', async () => {
    // Attack: a page of somebody else's that calls with a user's token, which it found.
    const { headers } = await preflight(FOREIGN);
    expect(headers['access-control-allow-origin']).toBeUndefined();
  });
});

describe('An answer', () => {
  const answerTo = async (headers: Record<string, string>) =>
    (await installation.api.post('/download-url').set(headers).send({})).headers;

  it('can be read by an allowed origin, a refusal with its headers too', async () => {
    expect(await answerTo({ origin: ORIGIN })).toMatchObject({
      'access-control-allow-origin': ORIGIN,
      'access-control-expose-headers':
        'X-Request-Id, Retry-After, ETag, Location, RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset, RateLimit-Policy',
      vary: 'Origin',
    });
  });

  it('can be read by no other origin, nor by one that only begins like it', async () => {
    for (const origin of [FOREIGN, `${ORIGIN}.evil.example`, 'null']) {
      const headers = await answerTo({ origin });
      expect(headers['access-control-allow-origin']).toBeUndefined();
      expect(headers['vary']).toBe('Origin');
    }
  });

  it('is never taken from a cache for another origin, also where it was first asked for by none', async () => {
    expect(await answerTo({})).toMatchObject({ vary: 'Origin' });
  });

  it('can be read where no route is, too', async () => {
    const { headers } = await installation.api.get('/nowhere').set({ origin: ORIGIN });
    expect(headers).toMatchObject({ 'access-control-allow-origin': ORIGIN });
  });
});
