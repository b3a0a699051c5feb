import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import jwt from 'jsonwebtoken';
import { install, type Installation, type Tenant } from '../../support/installation.js';
import { startJwksServer, type JwksServer } from '../../support/jwks-server.js';

/** The claims as each provider documents them, what its issuer is registered with, and whom we should see. */
const providers = {
  Keycloak: {
    registration: { audience: 'countersign', groupsClaim: '/realm_access/roles' },
    claims: {
      aud: ['countersign', 'account'],
      typ: 'Bearer',
      azp: 'spa',
      sid: 'b9a4f6c2-4c1e-4b39-9c59-51d7f9a2b9f1',
      realm_access: { roles: ['editors', 'offline_access'] },
      resource_access: { account: { roles: ['view-profile'] } },
      scope: 'openid profile email read:objects write:objects',
      preferred_username: 'jane',
      sub: 'f1c5b2d6-6f34-49f1-9f0a-0d8c1a3c5e77',
    },
    subject: 'f1c5b2d6-6f34-49f1-9f0a-0d8c1a3c5e77',
  },
  Auth0: {
    registration: { audience: 'https://files.example.com', groupsClaim: 'https://example.com/groups' },
    claims: {
      aud: ['https://files.example.com', 'https://example.eu.auth0.com/userinfo'],
      sub: 'auth0|507f1f77bcf86cd799439011',
      azp: 'my_client_id',
      scope: 'openid read:objects write:objects',
      permissions: ['read:objects'],
      'https://example.com/groups': ['editors'],
    },
    header: { typ: 'at+jwt' },
    subject: 'auth0|507f1f77bcf86cd799439011',
  },
  'Entra ID': {
    registration: {
      audience: '11112222-bbbb-3333-cccc-4444dddd5555',
      subjectClaim: 'oid',
      scopeClaim: 'scp',
      groupsClaim: 'groups',
    },
    claims: {
      aud: '11112222-bbbb-3333-cccc-4444dddd5555',
      ver: '2.0',
      tid: 'aaaabbbb-0000-cccc-1111-dddd2222eeee',
      oid: '00aa00aa-bb11-cc22-dd33-44ee44ee44ee',
      sub: 'AAAAAAAAAAAAAAAAAAAAAIkzqFVrSaSaFHy782bbtaQ',
      scp: 'read:objects write:objects',
      groups: ['editors'],
      azp: '22223333-cccc-4444-dddd-5555eeee6666',
    },
    subject: '00aa00aa-bb11-cc22-dd33-44ee44ee44ee',
  },
  Cognito: {
    registration: { audience: '1example23456789', groupsClaim: 'cognito:groups', scopePrefix: 'countersign/' },
    claims: {
      sub: 'aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee',
      'cognito:groups': ['editors'],
      client_id: '1example23456789',
      token_use: 'access',
      scope: 'aws.cognito.signin.user.admin countersign/read:objects countersign/write:objects',
      auth_time: 1_800_000_000,
      username: 'jane',
    },
    subject: 'aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee',
  },
  Supabase: {
    registration: {
      audience: 'authenticated',
      groupsClaim: '/app_metadata/groups',
      scopeClaim: '/app_metadata/scopes',
    },
    claims: {
      aud: 'authenticated',
      role: 'authenticated',
      aal: 'aal1',
      session_id: '4b938a09-5372-4177-a314-cfa292099ea2',
      email: 'jane@example.com',
      is_anonymous: false,
      app_metadata: { provider: 'email', groups: ['editors'], scopes: ['read:objects', 'write:objects'] },
      user_metadata: { groups: ['admins'] },
      sub: '6f1c1e6a-8d52-4d0c-8a8e-1f3d8c9e7b21',
    },
    subject: '6f1c1e6a-8d52-4d0c-8a8e-1f3d8c9e7b21',
  },
} satisfies Record<string, { registration: Record<string, string>; claims: object; header?: object; subject: string }>;

describe('a token in the documented shape of', () => {
  let installation: Installation;
  let tenant: Tenant;
  let keys: JwksServer;
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const sign = (claims: object, issuer: string, header: object = {}) => {
    const now = Math.floor(Date.now() / 1000);
    const options = { algorithm: 'RS256', header: { alg: 'RS256', kid: 'provider-key', ...header } } as const;
    return jwt.sign({ iss: issuer, iat: now, nbf: now, exp: now + 600, ...claims }, privateKey, options);
  };

  beforeAll(async () => {
    installation = await install();
    tenant = await installation.createTenant();
    await tenant.grant({ subject: { type: 'group', id: 'editors' }, prefix: 'drafts/' });
    keys = await startJwksServer([
      { ...publicKey.export({ format: 'jwk' }), kid: 'provider-key', use: 'sig', alg: 'RS256' },
    ]);
  });
  afterAll(async () => {
    await installation.close();
    await keys.stop();
  });

  const register = (registration: object) =>
    installation.api
      .post('/issuers')
      .auth(installation.operator, { type: 'bearer' })
      .send({ tenant: tenant.slug, jwksUri: keys.uri, ...registration });
  const download = (token: string, key: string) =>
    installation.api.post('/download-url').auth(token, { type: 'bearer' }).send({ bucket: 'files', key });

  for (const [name, { registration, claims, subject, ...rest }] of Object.entries(providers)) {
    it(`${name} is its subject, with its groups and scopes`, async () => {
      const issuer = `https://${randomUUID()}.example.com/`;
      await register({ issuer, ...registration }).expect(201);
      const header = 'header' in rest ? rest.header : {};
      await download(sign(claims, issuer, header), 'drafts/a.txt').expect(201);
      expect((await tenant.events())[0]).toMatchObject({ subject, decision: 'granted' });
      await download(sign(claims, issuer, header), 'elsewhere/a.txt').expect(403);

      // A token of the same provider for somebody else's service.
      const foreign =
        'aud' in claims ? { ...claims, aud: 'another-service' } : { ...claims, client_id: 'another-service' };
      await download(sign(foreign, issuer, header), 'drafts/a.txt').expect(401);
    });
  }

  it('Cognito is none with scopes that are not ours', async () => {
    const issuer = `https://${randomUUID()}.example.com/`;
    const { registration, claims } = providers.Cognito;
    await register({ issuer, ...registration }).expect(201);
    const { body } = await download(
      sign({ ...claims, scope: 'read:objects other/read:objects' }, issuer),
      'drafts/a.txt',
    ).expect(403);
    expect(body.code).toBe('scope-missing');
  });
});
