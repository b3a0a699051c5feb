import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Config } from '@countersign/config';
import { install, type Installation, type Tenant } from '../../support/installation.js';

describe('GET /metrics answers 401', () => {
  const metricsToken = randomBytes(24).toString('base64url');
  let installation: Installation;
  let tenant: Tenant;

  beforeAll(async () => {
    installation = await install({ METRICS_TOKEN: metricsToken });
    tenant = await installation.createTenant();
  });
  afterAll(() => installation.close());

  const read = (authorization?: string) => {
    const request = installation.api.get('/metrics');
    return authorization === undefined ? request : request.set('Authorization', authorization);
  };

  it('without the token of the installation, wherever one is set', async () => {
    const { body, headers } = await read().expect(401);

    expect(body).toMatchObject({ code: 'unauthenticated', status: 401 });
    expect(headers['content-type']).toBe('application/problem+json; charset=utf-8');
    expect(headers['www-authenticate']).toBe('Bearer realm="countersign"');
  });

  it('to every other token, the JWT of an administrator among them', async () => {
    const others = [
      `Bearer ${tenant.admin}`,
      `Bearer ${installation.operator}`,
      `Bearer ${metricsToken.slice(0, -1)}`,
      `Bearer ${metricsToken}x`,
      `Bearer ${metricsToken.toUpperCase()}`,
      `Basic ${metricsToken}`,
      `Bearer`,
      metricsToken,
    ];
    for (const other of others) expect((await read(other)).status).toBe(401);
  });

  // Attack: guess a short one.
  it.each(['short', 'with spaces in the middle of it', 'line\nline-line-line'])(
    'never for a token that is no good one, %j: the start fails and does not show it',
    (bad) => {
      const start = () => new Config({ ...process.env, METRICS_TOKEN: bad });

      expect(start).toThrow('METRICS_TOKEN must be 16 or more of A-Z, a-z, 0-9, -._~+/');
      expect(start).not.toThrow(bad);
    },
  );

  it('but not to the right one', async () => {
    const { text } = await read(`Bearer ${metricsToken}`).expect(200);

    expect(text).toContain('countersign_urls_issued_total');
    expect(text).not.toContain(metricsToken);
  });
});
