import { Config } from '@countersign/config';
import { prepareDatabase, type RuntimeUrls } from '@countersign/database';
import { startPostgres, startStore } from '@countersign/embedded';
import { Outgoing } from '@countersign/outgoing';
import { CredentialSeal, KeyIssuers } from '@countersign/signing-keys';
import { DEMO_BUCKET, seed } from '../../../prisma/seed.js';
import { startApi } from './api-process.js';
import { keepDemoKey } from './demo-signing-key.js';
import { DEMO_ISSUER, demoJwks, demoTokens } from './demo-tokens.js';
import { firstSteps } from './first-steps.js';
import { ensureDatabase, runtimeUrls } from './local-database.js';
import { inPlace, makePlace, writePrivate } from './place.js';
import { loadSettings, type Settings } from './settings.js';
import { Shutdown } from './shutdown.js';
import { becomeSingleInstance } from './single-instance.js';

const STORAGE_BUCKET = 'countersign-demo';

/** Empty, and registered by nobody: for whoever follows "A stranger's first hour" in docs/integrating.md. */
const SPARE_STORAGE_BUCKET = 'my-bucket';
const REGION = 'us-east-1';

/** `npm start`: a whole Countersign on this machine, from nothing, with data that stays between starts. */
async function main(shutdown: Shutdown): Promise<void> {
  const startedAt = performance.now();
  makePlace();
  const instance = await shutdown.start('this instance', becomeSingleInstance, (started) => started.release());
  shutdown.onBegin = () => instance.announceStop();

  const settings = await loadSettings(process.env);
  const ownerUrl = process.env['DATABASE_URL'] || (await startDatabase(settings, shutdown));
  const urls = runtimeUrls(ownerUrl, settings.passwords);
  const { migrations } = await prepareDatabase(ownerUrl, 'prisma/migrations', urls);
  say(migrations.length > 0 ? `migrations: ${migrations.length} applied` : 'migrations: up to date');

  const storage = await startStorage(settings, shutdown);
  const env = apiEnvironment(settings, urls, storage);
  await seedDemo(ownerUrl, storage, settings, new Config(env));

  const running = await shutdown.start(
    'the API',
    () => startApi(env),
    (started) => started.stop(),
  );
  void running.ended.then((how) => shutdown.because(`The API ended (${how}).`));

  const api = `http://127.0.0.1:${settings.ports.api}`;
  const facts = { api, storage, bucket: DEMO_BUCKET, tokens: demoTokens(settings.issuerKey) };
  writePrivate('demo.json', `${JSON.stringify(facts, null, 2)}\n`);
  process.stdout.write(firstSteps({ api, storage, seconds: ((performance.now() - startedAt) / 1000).toFixed(1) }));
}

async function startDatabase(settings: Settings, shutdown: Shutdown): Promise<string> {
  say('PostgreSQL …');
  const { ports, passwords } = settings;
  const postgres = await shutdown.start(
    'PostgreSQL',
    () => startPostgres({ dir: inPlace('postgres'), port: ports.postgres, password: passwords.owner }),
    (started) => started.stop(),
  );
  say(`PostgreSQL on 127.0.0.1:${postgres.port}, data in ${postgres.dataDir}`);
  await ensureDatabase(postgres.urlFor('postgres'), 'countersign');
  return postgres.urlFor('countersign');
}

async function startStorage({ ports, storage, storageAdmin }: Settings, shutdown: Shutdown): Promise<string> {
  const options = {
    dir: inPlace('storage'),
    port: ports.storage,
    region: REGION,
    buckets: [STORAGE_BUCKET, SPARE_STORAGE_BUCKET].map((name) => ({ name, corsOrigins: localOrigins(ports.api) })),
    accessKeys: [storage],
    admin: storageAdmin,
  };
  const store = await shutdown.start(
    'the storage',
    () => startStore(options),
    (started) => started.stop(),
  );
  say(`storage on ${store.endpoint}`);
  return store.endpoint;
}

async function seedDemo(ownerUrl: string, storage: string, { issuerKey }: Settings, config: Config): Promise<void> {
  const place = { storage, storageBucket: STORAGE_BUCKET, region: REGION };
  await seed(ownerUrl, { issuer: DEMO_ISSUER, jwks: demoJwks(issuerKey), ...place });
  const seal = new CredentialSeal(config);
  await keepDemoKey(ownerUrl, seal, new KeyIssuers(config, seal, new Outgoing(config)));
}

/** What the API is told, and all that it is told: it never learns the owner's URL. */
function apiEnvironment(
  { ports, encryptionKey, storageAdmin }: Settings,
  urls: RuntimeUrls,
  storage: string,
): NodeJS.ProcessEnv {
  const {
    PATH,
    HOST = '127.0.0.1',
    LOG_LEVEL = 'warn',
    CORS_ORIGINS,
    DATABASE_CONNECTIONS,
    TRUSTED_PROXIES,
  } = process.env;
  return {
    NODE_ENV: 'development',
    PATH,
    HOST,
    PORT: String(ports.api),
    LOG_LEVEL,
    CORS_ORIGINS: CORS_ORIGINS ?? localOrigins(ports.api).join(','),
    DATABASE_CONNECTIONS,
    TRUSTED_PROXIES,
    DATABASE_API_URL: urls.api,
    DATABASE_ISSUER_URL: urls.issuer,
    DATABASE_OPERATOR_URL: urls.operator,
    ENCRYPTION_KEYS: `1:${encryptionKey}`,
    EMBEDDED_STORE_ENDPOINT: storage,
    EMBEDDED_STORE_ADMIN_ACCESS_KEY_ID: storageAdmin.accessKeyId,
    EMBEDDED_STORE_ADMIN_SECRET_ACCESS_KEY: storageAdmin.secretAccessKey,
  };
}

/** Where a page under development is served from, usually. */
function localOrigins(apiPort: number): string[] {
  const ports = new Set([apiPort, 3000, 3001, 4200, 5173, 8080]);
  return [...ports].flatMap((port) => [`http://localhost:${port}`, `http://127.0.0.1:${port}`]);
}

function say(line: string): void {
  process.stdout.write(`  ${line}\n`);
}

const shutdown = new Shutdown(say);
main(shutdown).catch((error: unknown) => shutdown.because(error instanceof Error ? error.message : String(error)));
