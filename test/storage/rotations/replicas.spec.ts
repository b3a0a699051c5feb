import { createPrivateKey, createPublicKey, type JsonWebKey, randomBytes } from 'node:crypto';
import { asOwner } from '@countersign/database';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import jwt from 'jsonwebtoken';
import request from 'supertest';
import { signerOf } from '../../api/rotations/rotation-fixture.js';
import { canary } from '../../signing-keys/key-issuers/canary.js';
import { type BuiltApi, startBuiltApi } from '../../support/built-program.js';
import { freshDatabase, type FreshDatabase } from '../../support/fresh-database.js';
import { createTenant } from '../../support/installation.js';
import { makeAccessKey } from '../../support/storage-keys.js';
import { accessKeysAtStore, type Mode, RotatedBucket } from './rotated-bucket.js';

const MODES: Mode[] = ['immediate', 'graceful', 'immediate', 'graceful'];

let database: FreshDatabase;
let env: NodeJS.ProcessEnv;
const running: BuiltApi[] = [];
beforeEach(async () => {
  database = await freshDatabase();
  const names = ['ENDPOINT', 'ADMIN_ACCESS_KEY_ID', 'ADMIN_SECRET_ACCESS_KEY'].map((name) => `EMBEDDED_STORE_${name}`);
  const store = Object.fromEntries(names.map((name) => [name, process.env[name]]));
  const ENCRYPTION_KEYS = `1:${randomBytes(32).toString('base64')}`;
  env = { ...database.env, ...store, ENCRYPTION_KEYS, NODE_ENV: 'test', LOG_LEVEL: 'warn' };
});
afterEach(async () => {
  await Promise.all(running.splice(0).map((api) => api.stop()));
  await database.drop();
});

it('replicas share rotations: one that is told to stop loses none of them, and leaves no key behind', async () => {
  const operator = await seedPlatform(database);
  const [first, second] = await Promise.all([start(), start()]);
  const buckets = await Promise.all(MODES.map(() => register(first, operator)));
  const ids = await Promise.all(buckets.map((bucket, at) => bucket.begin(MODES[at] ?? 'immediate')));

  // SIGTERM, to each in turn while it works; whoever is left goes on, by what the database says.
  await first.stop();
  const left = await database.query<{ id: string }>(`SELECT id FROM rotations WHERE state <> 'done'`);
  expect(left.length).toBeGreaterThan(0);
  const third = await start();
  await second.stop();

  const rotations = await Promise.all(buckets.map((bucket, at) => on(third, bucket).untilOver(ids[at] ?? '')));
  expect(rotations.map(({ state, problem }) => [state, problem])).toEqual(MODES.map(() => ['done', null]));
  for (const [at, { mode, steps, revokedAt }] of rotations.entries()) {
    expect([mode, revokedAt]).toEqual([MODES[at], expect.any(String)]);
    expect(steps.filter(({ finishedAt }) => finishedAt === null)).toEqual([]);
  }
  for (const bucket of buckets) {
    expect(await canary(bucket.firstKey)).toBe('InvalidAccessKeyId');
    const { body } = await on(third, bucket).ask().expect(201);
    expect(signerOf((body as { url: string }).url)).not.toBe(bucket.firstKey.accessKeyId);
  }
  const keys = await database.query<{ state: string; name: string }>(
    'SELECT state::text, access_key_id AS name FROM signing_keys',
  );
  const listed = new Set(await accessKeysAtStore());
  expect(new Set(keys.map(({ state }) => state))).toEqual(new Set(['active', 'deleted']));
  expect(keys.filter(({ state, name }) => listed.has(name) !== (state === 'active'))).toEqual([]);
  expect(keys.filter(({ state }) => state === 'active')).toHaveLength(MODES.length);
}, 60_000);

async function start(): Promise<BuiltApi> {
  const api = await startBuiltApi(env);
  running.push(api);
  return api;
}

/** A tenant's bucket whose keys the store makes; one URL is out, for long or not, as its rotation can wait for it. */
async function register(api: BuiltApi, operator: string): Promise<RotatedBucket> {
  const client = request(api.url);
  const firstKey = await makeAccessKey();
  const tenant = await createTenant(client, operator, { credentials: firstKey });
  await tenant.grant({ subject: { type: 'everyone' }, prefix: 'users/{sub}/' });
  const bucket = new RotatedBucket(client, tenant, firstKey);
  const brief = { action: 'any', minExpirySeconds: 1, defaultExpirySeconds: 3, maxExpirySeconds: 60 };
  await bucket.admin.put('/use-cases/brief', brief).expect(201);
  await bucket.ask({ useCase: 'brief' }).expect(201);
  return bucket.useKeyIssuer();
}

/** The same bucket, by another replica. */
const on = (api: BuiltApi, { tenant, firstKey }: RotatedBucket): RotatedBucket =>
  new RotatedBucket(request(api.url), tenant, firstKey);

/** The platform's issuer; gives a token of its operator. */
async function seedPlatform({ ownerUrl }: FreshDatabase): Promise<string> {
  const key = createPrivateKey({
    key: JSON.parse(process.env['TEST_PLATFORM_KEY'] ?? '') as JsonWebKey,
    format: 'jwk',
  });
  const jwks = {
    keys: [{ ...createPublicKey(key).export({ format: 'jwk' }), kid: 'platform', alg: 'ES256', use: 'sig' }],
  };
  const issuer = { issuer: 'https://platform.test', audience: 'countersign' };
  await asOwner(ownerUrl, async (transaction) => {
    const { id: tenantId } = await transaction.tenant.create({ data: { slug: 'platform', name: 'Platform' } });
    const data = { tenantId, ...issuer, jwks, algorithms: ['ES256'], platform: true };
    await transaction.issuer.create({ data });
  });
  const claims = { iss: issuer.issuer, aud: issuer.audience, sub: 'operator', scope: 'admin:platform' };
  return jwt.sign(claims, key, { algorithm: 'ES256', keyid: 'platform', expiresIn: '1h' });
}
