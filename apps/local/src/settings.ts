import { generateKeyPairSync, type JsonWebKey, randomBytes } from 'node:crypto';
import { type AccessKey, freePort, isFree } from '@countersign/embedded';
import { readJson, writePrivate } from './place.js';

/** What a local installation makes up once and keeps: without it, the data of the last start could not be read again. */
export interface Settings {
  ports: { api: number; storage: number; postgres: number };
  passwords: { owner: string; api: string; issuer: string; operator: string };
  /** Base64 of 32 bytes. */
  encryptionKey: string;
  /** The developer's own access key at the store; no bucket of the demo's uses it. */
  storage: AccessKey;
  /** Who may make and take away access keys there: the API's, for rotations. */
  storageAdmin: AccessKey;
  /** The demo issuer's private key, ES256. */
  issuerKey: JsonWebKey;
}

const FILE = 'settings.json';

/** The settings of the last start, or new ones; ports that were taken since then are replaced. */
export async function loadSettings(env: NodeJS.ProcessEnv): Promise<Settings> {
  const kept = readJson<Settings>(FILE);
  const settings: Settings = {
    // An earlier version did not have all of them.
    ...makeUp(),
    ...kept,
    ports: {
      // A port that was asked for is that port, or the start fails; any other may move.
      api: env['PORT'] ? await askedPort(env['PORT']) : await freePort(kept?.ports.api ?? 3000),
      storage: await freePort(kept?.ports.storage ?? 9000),
      postgres: await freePort(kept?.ports.postgres),
    },
  };
  writePrivate(FILE, `${JSON.stringify(settings, null, 2)}\n`);
  return settings;
}

async function askedPort(text: string): Promise<number> {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port < 1 || port > 65_535) throw new Error('PORT must be a port, 1 to 65535.');
  if (await isFree(port)) return port;
  throw new Error(`Port ${port} of 127.0.0.1 is taken: stop what listens there, or choose another PORT.`);
}

const accessKey = (prefix: string): AccessKey => ({
  accessKeyId: `${prefix}${randomBytes(8).toString('hex').toUpperCase()}`,
  secretAccessKey: randomBytes(30).toString('base64url'),
});

function makeUp(): Omit<Settings, 'ports'> {
  const password = () => randomBytes(24).toString('base64url');
  return {
    passwords: { owner: password(), api: password(), issuer: password(), operator: password() },
    encryptionKey: randomBytes(32).toString('base64'),
    storage: accessKey('LOCAL'),
    storageAdmin: accessKey('ADMIN'),
    issuerKey: generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' }),
  };
}
