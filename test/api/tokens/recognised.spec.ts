import { generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import jwt from 'jsonwebtoken';
import { install, type Installation, type Tenant } from '../../support/installation.js';
import { startJwksServer, type JwksServer } from '../../support/jwks-server.js';

/** A signature that was checked once is not checked again; everything that may have changed since then is. */
describe('A token that was believed before', () => {
  let installation: Installation;
  let tenant: Tenant;
  let issuer: string;
  let issuerId: string;
  let skewMs = 0;
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const { publicKey: anothers } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const toJwks = (key: typeof publicKey) => [{ ...key.export({ format: 'jwk' }), kid: 'k', use: 'sig', alg: 'ES256' }];

  const sign = (claims: object = {}, keyid = 'k') => {
    const exp = Math.floor(Date.now() / 1000) + 1_200;
    const all = { scope: 'read:objects', iss: issuer, sub: 'alice', aud: 'app', exp, ...claims };
    return jwt.sign(all, privateKey, { algorithm: 'ES256', keyid });
  };
  const statusOf = async (token: string) => {
    const body = { bucket: 'files', key: 'users/alice/a' };
    const { status } = await installation.api.post('/download-url').auth(token, { type: 'bearer' }).send(body);
    return status;
  };
  const asOperator = (method: 'post' | 'patch' | 'delete', path: string, body?: object) =>
    installation.api[method](path).auth(installation.operator, { type: 'bearer' }).send(body);
  const register = async (rest: object) => {
    issuer = `https://recognised-${Date.now()}-${Math.random()}.test`;
    const { body } = await asOperator('post', '/issuers', { issuer, audience: 'app', ...rest }).expect(201);
    issuerId = (body as { id: string }).id;
  };

  beforeAll(async () => {
    const now = Date.now.bind(Date);
    jest.spyOn(Date, 'now').mockImplementation(() => now() + skewMs);
    installation = await install();
    tenant = await installation.createTenant();
    await tenant.grant({ subject: { type: 'everyone' }, prefix: 'users/{sub}/' });
  });
  afterAll(() => installation.close());
  beforeEach(() => {
    skewMs = 0;
    return register({ tenant: tenant.slug, jwks: { keys: toJwks(publicKey) } });
  });

  async function believed(token = sign()): Promise<string> {
    expect(await statusOf(token)).toBe(201);
    expect(await statusOf(token)).toBe(201);
    return token;
  }

  it('is another token as soon as one character of it is another', async () => {
    // Attack: what was checked is kept by a part of the token, and the rest is the attacker's.
    const token = await believed();
    const [header = '', claims = '', signature = ''] = token.split('.');
    const theirs = Buffer.from(Buffer.from(claims, 'base64url').toString().replace('alice', 'admin')).toString(
      'base64url',
    );
    const flipped = signature.replace(/^./, (first) => (first === 'A' ? 'B' : 'A'));
    for (const altered of [
      `${header}.${theirs}.${signature}`,
      `${header}.${claims}.${flipped}`,
      token.slice(0, -1),
      `${token}A`,
    ])
      expect(await statusOf(altered)).toBe(401);
    expect(await statusOf(token)).toBe(201);
  });

  it('is refused once its issuer is gone', async () => {
    const token = await believed();
    await asOperator('delete', `/issuers/${issuerId}`).expect(204);
    expect(await statusOf(token)).toBe(401);
  });

  it("is checked anew once its issuer's keys are others", async () => {
    // Attack: a stolen signing key is taken back by the provider, and what was signed with it lives on in our memory.
    const token = await believed();
    await asOperator('patch', `/issuers/${issuerId}`, { jwks: { keys: toJwks(anothers) } }).expect(200);
    expect(await statusOf(token)).toBe(401);
  });

  it('means what its issuer now says that it means', async () => {
    const token = await believed();
    await asOperator('patch', `/issuers/${issuerId}`, { scopePrefix: 'app/' }).expect(200);
    expect(await statusOf(token)).toBe(403);
    await asOperator('patch', `/issuers/${issuerId}`, { scopePrefix: '' }).expect(200);
    expect(await statusOf(token)).toBe(201);
  });

  it('is refused while its tenant is suspended', async () => {
    const token = await believed();
    await asOperator('patch', `/tenants/${tenant.slug}`, { state: 'suspended' }).expect(200);
    expect(await statusOf(token)).toBe(403);
    await asOperator('patch', `/tenants/${tenant.slug}`, { state: 'active' }).expect(200);
    expect(await statusOf(token)).toBe(201);
  });

  it("is refused once its tenant's slug is none that its issuer may speak for", async () => {
    await register({ tenantClaim: 'org', tenants: [tenant.slug], jwks: { keys: toJwks(publicKey) } });
    const token = await believed(sign({ org: tenant.slug }));
    const other = await installation.createTenant();
    await asOperator('patch', `/issuers/${issuerId}`, { tenants: [other.slug] }).expect(200);
    expect(await statusOf(token)).toBe(401);
  });

  it('is refused from 30 seconds after its exp on', async () => {
    const token = await believed(sign({ exp: Math.floor(Date.now() / 1000) + 20 }));
    // No further from the database's time than clocks may be.
    skewMs = 40_000;
    expect(await statusOf(token)).toBe(201);
    skewMs = 51_000;
    expect(await statusOf(token)).toBe(401);
  });

  it('is checked anew once its provider publishes other keys', async () => {
    const keys: JwksServer = await startJwksServer(toJwks(publicKey));
    try {
      await register({ tenant: tenant.slug, jwksUri: keys.uri });
      const token = await believed();
      keys.keys = toJwks(anothers);
      // A key that is not known yet is asked for, once in 30 seconds.
      skewMs = 40_000;
      expect(await statusOf(sign({}, 'unknown'))).toBe(401);
      expect(await statusOf(token)).toBe(401);
    } finally {
      await keys.stop();
    }
  });
});
