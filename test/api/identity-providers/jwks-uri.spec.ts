import { generateKeyPairSync } from 'node:crypto';
import http from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import jwt from 'jsonwebtoken';
import { install, type Installation, type Tenant } from '../../support/installation.js';
import { startJwksServer, type JwksServer } from '../../support/jwks-server.js';

describe('an issuer that publishes its keys', () => {
  let installation: Installation;
  let tenant: Tenant;
  let keys: JwksServer;
  let issuer: string;
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const sign = (keyid: string, claims: object = {}) =>
    jwt.sign({ scope: 'read:objects', ...claims }, privateKey, {
      algorithm: 'ES256',
      keyid,
      issuer,
      subject: 'alice',
      audience: 'app',
      expiresIn: 600,
    });
  // A thousand connections of their own would cost this process more than all the rest.
  const connections = new http.Agent({ keepAlive: true, maxSockets: 64 });
  const download = (token: string) =>
    installation.api
      .post('/download-url')
      .agent(connections)
      .auth(token, { type: 'bearer' })
      .send({ bucket: 'files', key: 'users/alice/a' });

  beforeAll(async () => {
    installation = await install();
    tenant = await installation.createTenant();
    await tenant.grant({ subject: { type: 'everyone' }, prefix: 'users/{sub}/' });
  });
  afterAll(() => {
    connections.destroy();
    return installation.close();
  });
  beforeEach(async () => {
    keys = await startJwksServer([
      { ...publicKey.export({ format: 'jwk' }), kid: 'current', use: 'sig', alg: 'ES256' },
    ]);
    issuer = `https://idp-${new URL(keys.uri).port}-${Date.now()}.test`;
    await installation.api
      .post('/issuers')
      .auth(installation.operator, { type: 'bearer' })
      .send({ tenant: tenant.slug, issuer, audience: 'app', jwksUri: keys.uri })
      .expect(201);
  });

  it('is asked once for 1,000 tokens with unknown kids, and not one valid token is refused meanwhile', async () => {
    // A flood of made-up kids, to make us flood the provider and to shut its users out.
    const tokens = Array.from({ length: 1_050 }, (_, n) => (n % 21 === 0 ? sign('current') : sign(`made-up-${n}`)));
    const statuses = await Promise.all(tokens.map((token) => download(token).then(({ status }) => status)));
    expect(statuses.filter((status) => status === 201)).toHaveLength(50);
    expect(statuses.filter((status) => status === 401)).toHaveLength(1_000);
    expect(keys.requests).toBe(1);
    await keys.stop();
  });

  it('is believed as before while its endpoint is down, once it was reached', async () => {
    await download(sign('current')).expect(201);
    await keys.stop();
    await download(sign('current')).expect(201);
    await download(sign('made-up')).expect(401);
  });

  it('gives 503 with Retry-After, not 401, while its endpoint has never been reached', async () => {
    await keys.stop();
    const { body, headers } = await download(sign('current')).expect(503);
    expect(body.code).toBe('issuer-unavailable');
    expect(Number(headers['retry-after'])).toBeGreaterThan(0);
  });
});
