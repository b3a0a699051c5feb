// What every spec stands on: an embedded PostgreSQL with one migrated database, and an embedded store, on free ports, from the built program.
// A spec makes tenants of its own in them, so specs need no order and no clean-up.
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdtemp, chmod } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { asOwner, prepareDatabase } from '../../dist/libs/database/src/index.js';
import { startPostgres, startStore } from '../../dist/libs/embedded/src/index.js';

const DATABASE = 'countersign_test';
const PLATFORM = { issuer: 'https://platform.test', audience: 'countersign' };

export default async function setUp() {
  const dir = await mkdtemp(path.join(os.tmpdir(), 'countersign-test-'));
  await chmod(dir, 0o711);
  const [postgres, store] = await Promise.all([startDatabase(dir), startStorage(dir)]);
  globalThis.embedded = { dir, postgres, store };

  const ownerUrl = postgres.urlFor(DATABASE);
  const loginUrl = (role) =>
    postgres.urlFor(DATABASE).replace(/\/\/[^@]+@/, `//test_${role}:${randomBytes(9).toString('hex')}@`);
  const urls = { api: loginUrl('api'), issuer: loginUrl('issuer'), operator: loginUrl('operator') };
  await prepareDatabase(ownerUrl, 'prisma/migrations', urls);
  Object.assign(process.env, {
    TEST_DATABASE_URL: postgres.urlFor('postgres'),
    TEST_OWNER_URL: ownerUrl,
    DATABASE_API_URL: urls.api,
    DATABASE_ISSUER_URL: urls.issuer,
    DATABASE_OPERATOR_URL: urls.operator,
    ENCRYPTION_KEYS: `1:${randomBytes(32).toString('base64')}`,
    TEST_PLATFORM_KEY: JSON.stringify(await seedPlatform(ownerUrl)),
  });
}

async function startDatabase(dir) {
  // Nothing here outlives the run, so nothing need be on disk.
  const settings = ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off', 'max_connections=300'];
  const postgres = await startPostgres({
    dir: path.join(dir, 'postgres'),
    password: randomBytes(12).toString('hex'),
    settings,
  });
  const client = new pg.Client({ connectionString: postgres.urlFor('postgres') });
  await client.connect();
  await client.query(`CREATE DATABASE ${DATABASE}`);
  await client.end();
  return postgres;
}

/** The storage suite runs against whatever endpoint its variables name; where they name none, against the embedded store. */
async function startStorage(dir) {
  if (process.env.STORAGE_ENDPOINT) return null;
  const accessKey = { accessKeyId: 'TESTKEY0000000000001', secretAccessKey: randomBytes(20).toString('hex') };
  const other = { accessKeyId: 'TESTKEY0000000000002', secretAccessKey: randomBytes(20).toString('hex') };
  const bystander = {
    uid: 'bystander',
    accessKeyId: 'TESTKEY0000000000003',
    secretAccessKey: randomBytes(20).toString('hex'),
  };
  const admin = { accessKeyId: 'TESTADMIN00000000001', secretAccessKey: randomBytes(20).toString('hex') };
  const buckets = [{ name: 'countersign-test', corsOrigins: ['http://localhost:3000'] }];
  const store = await startStore({
    dir: path.join(dir, 'storage'),
    buckets,
    accessKeys: [accessKey, other, bystander],
    admin,
  });
  Object.assign(process.env, {
    STORAGE_KIND: 'embedded',
    STORAGE_ENDPOINT: store.endpoint,
    STORAGE_REGION: 'us-east-1',
    STORAGE_BUCKET: 'countersign-test',
    STORAGE_ACCESS_KEY_ID: accessKey.accessKeyId,
    STORAGE_SECRET_ACCESS_KEY: accessKey.secretAccessKey,
    STORAGE_UID: 'embedded',
    STORAGE_ADMIN_ACCESS_KEY_ID: admin.accessKeyId,
    STORAGE_ADMIN_SECRET_ACCESS_KEY: admin.secretAccessKey,
    EMBEDDED_STORE_ENDPOINT: store.endpoint,
    EMBEDDED_STORE_ADMIN_ACCESS_KEY_ID: admin.accessKeyId,
    EMBEDDED_STORE_ADMIN_SECRET_ACCESS_KEY: admin.secretAccessKey,
  });
  return store;
}

/** The first platform issuer, from which every spec makes its tenants by the API. */
async function seedPlatform(ownerUrl) {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const jwks = { keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'platform', alg: 'ES256', use: 'sig' }] };
  await asOwner(ownerUrl, async (transaction) => {
    const tenant = await transaction.tenant.create({ data: { slug: 'platform', name: 'Platform' } });
    await transaction.issuer.create({
      data: { tenantId: tenant.id, ...PLATFORM, jwks, algorithms: ['ES256'], platform: true },
    });
  });
  return privateKey.export({ format: 'jwk' });
}
