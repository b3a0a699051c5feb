import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import jwt from 'jsonwebtoken';
import { install, type Installation, type Tenant } from '../../support/installation.js';

describe('one identity provider for many tenants', () => {
  let installation: Installation;
  let [ours, theirs, foreign]: Tenant[] = [];
  const issuer = `https://shared-${randomUUID()}.test`;
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const jwks = { keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'k', alg: 'ES256', use: 'sig' }] };
  const sign = (claims: object) =>
    jwt.sign({ scope: 'read:objects', ...claims }, privateKey, {
      algorithm: 'ES256',
      keyid: 'k',
      issuer,
      subject: 'alice',
      audience: 'app',
      expiresIn: 600,
    });
  const download = (token: string) =>
    installation.api
      .post('/download-url')
      .auth(token, { type: 'bearer' })
      .send({ bucket: 'files', key: 'users/alice/a' });

  beforeAll(async () => {
    installation = await install();
    [ours, theirs, foreign] = await Promise.all([
      installation.createTenant(),
      installation.createTenant(),
      installation.createTenant(),
    ]);
    for (const tenant of [ours, theirs, foreign])
      await tenant?.grant({ subject: { type: 'everyone' }, prefix: 'users/{sub}/' });
    const tenants = [ours?.slug, theirs?.slug];
    await installation.api
      .post('/issuers')
      .auth(installation.operator, { type: 'bearer' })
      .send({ issuer, audience: 'app', jwks, tenantClaim: '/org/slug', tenants })
      .expect(201);
  });
  afterAll(() => installation.close());

  it('takes each token to the tenant that its claim names', async () => {
    await download(sign({ org: { slug: ours?.slug } })).expect(201);
    await download(sign({ org: { slug: theirs?.slug } })).expect(201);
    expect(await ours?.events({ action: 'download-url' })).toHaveLength(1);
    expect(await theirs?.events({ action: 'download-url' })).toHaveLength(1);
  });

  it('opens no tenant that it was not registered for', async () => {
    // Who runs one tenant's provider signs a token that names another tenant.
    const answers = await Promise.all(
      [
        { org: { slug: foreign?.slug } },
        { org: { slug: randomUUID() } },
        { org: { slug: '' } },
        { org: { slug: [ours?.slug] } },
        { org: ours?.slug },
        {},
      ].map((claims) => download(sign(claims)).expect(401)),
    );
    const bodies = answers.map(({ body }) => ({ ...body, requestId: null }));
    expect(new Set(bodies.map((body) => JSON.stringify(body))).size).toBe(1);
    expect(await foreign?.events({ action: 'download-url' })).toHaveLength(0);
  });

  it('must say which: a tenant or a claim, and with a claim the slugs that are allowed', async () => {
    const post = (body: object) =>
      installation.api
        .post('/issuers')
        .auth(installation.operator, { type: 'bearer' })
        .send({ issuer: randomUUID(), audience: 'app', jwks, ...body });
    expect((await post({}).expect(400)).body.errors[0].pointer).toBe('/tenant');
    expect((await post({ tenantClaim: 'org' }).expect(400)).body.errors[0].pointer).toBe('/tenants');
    expect(
      (await post({ tenant: ours?.slug, tenantClaim: 'org', tenants: [ours?.slug] }).expect(400)).body.errors[0]
        .pointer,
    ).toBe('/tenantClaim');
    expect((await post({ tenant: ours?.slug, jwks: undefined }).expect(400)).body.errors[0].pointer).toBe('/jwks');
    expect(
      (await post({ tenant: ours?.slug, jwksUri: 'https://idp.example.com/jwks' }).expect(400)).body.errors[0].pointer,
    ).toBe('/jwksUri');
  });
});
