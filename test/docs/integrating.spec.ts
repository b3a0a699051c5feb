import { generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import jwt from 'jsonwebtoken';
import { install, type Installation, type Tenant } from '../support/installation.js';
import { examplesOf } from './examples.js';

const examples = examplesOf('docs/integrating.md');
const examplesLabelled = (label: string) => examples.filter((example) => example.label.includes(label));

const ISSUERS = [
  'Keycloak',
  'Auth0',
  'Entra ID',
  'Amazon Cognito',
  'Supabase',
  'One identity provider for many tenants',
];
const STORES = ['AWS S3', 'Ceph RGW', 'Cloudflare R2', 'SeaweedFS', 'Any other S3-compatible store'];

describe('docs/integrating.md', () => {
  let installation: Installation;
  /** The same, by the rules of production: an endpoint must be public and encrypted. */
  let production: Installation;
  let tenant: Tenant;
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const jwks = { keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'provider-key', use: 'sig' }] };

  beforeAll(async () => {
    [installation, production] = await Promise.all([install(), install({ ALLOW_INSECURE_ENDPOINTS: 'false' })]);
    tenant = await installation.createTenant();
    for (const group of ['editors', '0760b6cf-170e-4a14-91b3-4b78e0739963'])
      await tenant.grant({ subject: { type: 'group', id: group }, prefix: 'drafts/' });
  });
  afterAll(() => Promise.all([installation.close(), production.close()]));

  /** With the test's own tenant in place of the document's. */
  const read = (text: string) => JSON.parse(text.replaceAll('acme', tenant.slug)) as Record<string, unknown>;
  const post = (path: string, token: string, body: object) =>
    production.api.post(path).auth(token, { type: 'bearer' }).send(body);

  it('has an example of each', () => {
    expect(examplesLabelled('POST /issuers').map(({ heading }) => heading)).toEqual(ISSUERS);
    expect(examplesLabelled('A token that results').map(({ heading }) => heading)).toEqual(ISSUERS);
    expect(examplesLabelled('POST /buckets').map(({ heading }) => heading)).toEqual(STORES);
  });

  for (const { heading, text } of examplesLabelled('POST /issuers')) {
    it(`${heading}: the registration is accepted, and so is the token that results`, async () => {
      const { body: issuer } = await post('/issuers', installation.operator, read(text)).expect(201);
      await production.api
        .patch(`/issuers/${issuer.id}`)
        .auth(installation.operator, { type: 'bearer' })
        .send({ jwks })
        .expect(200);

      const token = examplesLabelled('A token that results').find((example) => example.heading === heading);
      const now = Math.floor(Date.now() / 1000);
      const claims = { ...read(token?.text ?? ''), iat: now, exp: now + 600 } as Record<string, unknown>;
      const signed = jwt.sign(claims, privateKey, { algorithm: 'RS256', keyid: 'provider-key' });
      for (const [path, more] of [
        ['/download-url', {}],
        ['/upload-url', { contentType: 'text/plain', contentLength: 5 }],
      ] as const)
        await post(path, signed, { bucket: tenant.bucket, key: 'drafts/a.txt', ...more }).expect(201);
      const [event] = await tenant.events({ action: 'upload-url' });
      expect(event?.['subject']).toBe(claims[issuer.subjectClaim]);
      await post('/download-url', signed, { bucket: tenant.bucket, key: 'elsewhere/a.txt' }).expect(403);
    });
  }

  for (const { heading, text } of examplesLabelled('POST /buckets')) {
    it(`${heading}: the bucket is accepted, and its URLs lead there`, async () => {
      const body = JSON.parse(text) as { endpoint?: string; publicEndpoint?: string; region: string; acl?: string };
      const name = `files-${STORES.indexOf(heading)}`;
      await post('/buckets', tenant.admin, { ...body, name }).expect(201);
      await post('/grants', tenant.admin, {
        subject: { type: 'everyone' },
        bucket: name,
        prefix: '',
        actions: ['write'],
      }).expect(201);
      const wanted = { bucket: name, key: 'a.txt', contentType: 'text/plain', contentLength: 5 };
      const { body: issued } = await post('/upload-url', tenant.token('jane'), wanted).expect(201);
      const origin = body.publicEndpoint ?? body.endpoint ?? `https://acme-files.s3.${body.region}.amazonaws.com`;
      expect(new URL(issued.url).origin).toBe(origin);
      const hasAcl = body.acl !== 'none' && body.endpoint !== undefined;
      expect(issued.headers).toEqual({
        'content-type': 'text/plain',
        'if-none-match': '*',
        'x-amz-meta-countersign-upload': issued.uploadId,
        ...(hasAcl ? { 'x-amz-acl': 'private' } : {}),
      });
    });
  }
});
