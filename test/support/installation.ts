import { createPrivateKey, generateKeyPairSync, type JsonWebKey, type KeyObject, randomUUID } from 'node:crypto';
import { Config } from '@countersign/config';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import jwt from 'jsonwebtoken';
import request from 'supertest';
import { createApp } from '../../apps/api/src/create-app.js';

export type Api = ReturnType<typeof request>;

/** The whole API in this process, on the run's database, with an operator to make tenants by. */
export interface Installation {
  app: NestFastifyApplication;
  api: Api;
  config: Config;
  operator: string;
  /** A tenant of one's own, with a bucket `files` at the run's store and an issuer whose tokens the test can sign. */
  createTenant(bucket?: Record<string, unknown>): Promise<Tenant>;
  close(): Promise<void>;
}

export interface Tenant {
  slug: string;
  issuer: string;
  audience: string;
  privateKey: KeyObject;
  /** The registered name of its bucket. */
  bucket: string;
  /** A good token for this subject; `claims` are added or, where undefined, taken away. */
  token(subject: string, scope?: string, claims?: Record<string, unknown>): string;
  admin: string;
  auditor: string;
  grant(grant: Record<string, unknown>): Promise<string>;
  /** The ledger, newest first. */
  events(query?: Record<string, string>): Promise<Record<string, unknown>[]>;
}

export const OBJECTS = 'read:objects write:objects';

export async function install(env: NodeJS.ProcessEnv = {}): Promise<Installation> {
  // On a database that specs share, nobody's uploads are taken up by somebody else's reconciler.
  const defaults = { LOG_LEVEL: 'silent', RECONCILE_UPLOADS: 'false' };
  const config = new Config({ ...defaults, ...process.env, NODE_ENV: 'test', ...env });
  const app = await createApp(config);
  await app.listen(0, '127.0.0.1');
  const api = request(app.getHttpServer());
  const platformKey = createPrivateKey({
    key: JSON.parse(process.env['TEST_PLATFORM_KEY'] ?? '') as JsonWebKey,
    format: 'jwk',
  });
  const operator = jwt.sign({ scope: 'admin:platform' }, platformKey, {
    algorithm: 'ES256',
    keyid: 'platform',
    issuer: 'https://platform.test',
    audience: 'countersign',
    subject: 'operator',
    expiresIn: '1h',
  });
  return {
    app,
    api,
    config,
    operator,
    createTenant: (bucket) => createTenant(api, operator, bucket),
    close: () => app.close(),
  };
}

export async function createTenant(api: Api, operator: string, bucket: Record<string, unknown> = {}): Promise<Tenant> {
  const slug = `t-${randomUUID()}`;
  const issuer = `https://${slug}.test`;
  const audience = 'countersign';
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const jwks = { keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'key-1', alg: 'ES256', use: 'sig' }] };
  await api.post('/tenants').auth(operator, { type: 'bearer' }).send({ slug, name: slug }).expect(201);
  await api
    .post('/issuers')
    .auth(operator, { type: 'bearer' })
    .send({ tenant: slug, issuer, audience, jwks })
    .expect(201);

  const token: Tenant['token'] = (subject, scope = OBJECTS, claims = {}) => {
    const now = Math.floor(Date.now() / 1000);
    const payload = { iss: issuer, aud: audience, sub: subject, scope, iat: now, exp: now + 3600, ...claims };
    return jwt.sign(JSON.parse(JSON.stringify(payload)) as object, privateKey, { algorithm: 'ES256', keyid: 'key-1' });
  };
  const admin = token('admin', `${OBJECTS} admin:tenant`);
  const auditor = token('auditor', 'read:audit');
  await api
    .post('/buckets')
    .auth(admin, { type: 'bearer' })
    .send({ ...storeBucket(), ...bucket })
    .expect(201);
  return {
    slug,
    issuer,
    audience,
    privateKey,
    bucket: 'files',
    token,
    admin,
    auditor,
    grant: async (grant) => {
      const body = { bucket: 'files', actions: ['read', 'write'], ...grant };
      const response = await api.post('/grants').auth(admin, { type: 'bearer' }).send(body).expect(201);
      return (response.body as { id: string }).id;
    },
    events: async (query = {}) => {
      const response = await api.get('/audit-events').query(query).auth(auditor, { type: 'bearer' }).expect(200);
      return (response.body as { items: Record<string, unknown>[] }).items;
    },
  };
}

/** The registration of a bucket at the run's store; under a prefix of its own, so that tests do not meet there. */
export function storeBucket(): Record<string, unknown> {
  const env = process.env;
  return {
    name: 'files',
    provider: 's3',
    endpoint: env['STORAGE_ENDPOINT'],
    region: env['STORAGE_REGION'],
    bucket: env['STORAGE_BUCKET'],
    keyPrefix: `${randomUUID()}/`,
    forcePathStyle: true,
    credentials: { accessKeyId: env['STORAGE_ACCESS_KEY_ID'], secretAccessKey: env['STORAGE_SECRET_ACCESS_KEY'] },
  };
}
