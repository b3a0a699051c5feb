import { isIP } from 'node:net';
import { type EmbeddedStoreAdmin, readEmbeddedStore } from './embedded-store.js';
import { parseEncryptionKeys, type EncryptionKey } from './encryption-keys.js';

/** All that is wrong with the environment, at once. It names variables and says what they must be; it never shows a value. */
export class ConfigError extends Error {
  constructor(readonly faults: readonly string[]) {
    super(`The configuration is incomplete:\n${faults.map((fault) => `  - ${fault}`).join('\n')}\nSee .env.example.`);
    this.name = 'ConfigError';
  }
}

/** The validated configuration. It is made once, at start, from the environment, and injected; nothing reads the environment later. */
export class Config {
  readonly isProduction: boolean;
  readonly host: string;
  readonly port: number;
  readonly databaseApiUrl: string;
  readonly databaseIssuerUrl: string;
  readonly databaseOperatorUrl: string;
  /** Connections of the hot path; administration has a quarter of it, the operator's calls, rotations and the reconciler four. */
  readonly databaseConnections: number;
  /** Newest first: the first one seals. */
  readonly encryptionKeys: readonly EncryptionKey[];
  readonly corsOrigins: readonly string[];
  readonly allowInsecureEndpoints: boolean;
  /** Addresses or CIDR ranges whose X-Forwarded-For is believed. */
  readonly trustedProxies: readonly string[];
  /** URLs, or other calls, a second, and ten seconds' worth at once; 0 for any number. */
  readonly rateLimitPerSubject: number;
  readonly rateLimitPerTenant: number;
  /** Connections of clients at once; one beyond is closed. */
  readonly maxConnections: number;
  /** How long a connection stays open for the next request. */
  readonly keepAliveSeconds: number;
  readonly logLevel: string;
  /** Where it is given, GET /metrics asks for it. */
  readonly metricsToken: string | null;
  /** Whether this process takes up uploads that are due: expired, abandoned, or left in the middle. */
  readonly reconcilesUploads: boolean;
  /** How long an upload's row is kept once it is over. */
  readonly uploadRetentionDays: number;
  /** The development store, and who may make and take away its access keys. Never in production. */
  readonly embeddedStore: EmbeddedStoreAdmin | null;

  /** @throws ConfigError naming everything that is missing or malformed. */
  constructor(env: NodeJS.ProcessEnv) {
    const faults: string[] = [];
    const read = <T>(name: string, parse: (text: string) => T | null, expected: string, fallback?: T): T => {
      const text = env[name];
      if (text === undefined || text === '') {
        if (fallback === undefined) faults.push(`${name} is missing: ${expected}`);
        return fallback as T;
      }
      const value = parse(text);
      if (value === null) faults.push(`${name} must be ${expected}`);
      return value as T;
    };

    this.isProduction = env['NODE_ENV'] === 'production';
    this.host = read('HOST', (text) => text, 'an address to listen on', '127.0.0.1');
    this.port = read('PORT', integer(0, 65_535), 'a port, 0 to 65535', 3000);
    this.databaseApiUrl = read('DATABASE_API_URL', postgresUrl, 'a postgresql:// URL of a login in countersign_api');
    this.databaseIssuerUrl = read(
      'DATABASE_ISSUER_URL',
      postgresUrl,
      'a postgresql:// URL of a login in countersign_issuer',
    );
    this.databaseOperatorUrl = read(
      'DATABASE_OPERATOR_URL',
      postgresUrl,
      'a postgresql:// URL of a login in countersign_operator',
    );
    this.databaseConnections = read('DATABASE_CONNECTIONS', integer(2, 200), 'a number from 2 to 200', 12);
    this.encryptionKeys = read(
      'ENCRYPTION_KEYS',
      parseEncryptionKeys,
      '"1:" and 32 bytes in base64, older versions behind commas',
    );
    this.corsOrigins = read(
      'CORS_ORIGINS',
      origins,
      'exact origins behind commas, such as https://app.example.com',
      [],
    );
    this.allowInsecureEndpoints = read('ALLOW_INSECURE_ENDPOINTS', boolean, 'true or false', !this.isProduction);
    this.rateLimitPerSubject = read(
      'RATE_LIMIT_PER_SUBJECT',
      integer(0, 1_000_000),
      'a number from 0 to 1000000',
      10_000,
    );
    this.rateLimitPerTenant = read(
      'RATE_LIMIT_PER_TENANT',
      integer(0, 10_000_000),
      'a number from 0 to 10000000',
      100_000,
    );
    this.trustedProxies = read('TRUSTED_PROXIES', networks, 'addresses or CIDR ranges behind commas', []);
    this.maxConnections = read('MAX_CONNECTIONS', integer(1, 100_000), 'a number from 1 to 100000', 2_000);
    this.keepAliveSeconds = read('KEEP_ALIVE_SECONDS', integer(1, 3_600), 'a number from 1 to 3600', 72);
    this.logLevel = read(
      'LOG_LEVEL',
      oneOf(['fatal', 'error', 'warn', 'info', 'debug', 'silent']),
      'fatal, error, warn, info, debug or silent',
      'info',
    );
    this.metricsToken = read<string | null>('METRICS_TOKEN', bearerToken, '16 or more of A-Z, a-z, 0-9, -._~+/', null);
    this.reconcilesUploads = read('RECONCILE_UPLOADS', boolean, 'true or false', true);
    this.uploadRetentionDays = read('UPLOAD_RETENTION_DAYS', integer(1, 3_650), 'a number from 1 to 3650', 30);
    const embeddedStore = readEmbeddedStore(env, this.isProduction);
    this.embeddedStore = embeddedStore.value;
    faults.push(...embeddedStore.faults);
    if (faults.length > 0) throw new ConfigError(faults);
  }
}

const list = (text: string): string[] =>
  text
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');

/** Whoever is named here can say who calls: nothing is believed that is not exact. */
function networks(text: string): string[] | null {
  const entries = list(text);
  return entries.every(isNetwork) ? entries : null;
}

function isNetwork(entry: string): boolean {
  const [, address = '', length] = /^([^/%]+)(?:\/(\d{1,3}))?$/.exec(entry) ?? [];
  const version = isIP(address);
  return (
    version !== 0 && (length === undefined || (Number(length) > 0 && Number(length) <= (version === 4 ? 32 : 128)))
  );
}

const boolean = (text: string): boolean | null => (text === 'true' ? true : text === 'false' ? false : null);

const oneOf =
  (allowed: readonly string[]) =>
  (text: string): string | null =>
    allowed.includes(text) ? text : null;

const integer =
  (min: number, max: number) =>
  (text: string): number | null => {
    const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
    return value >= min && value <= max ? value : null;
  };

/** What can stand behind `Bearer` (RFC 6750 §2.1), and is too long to be guessed. */
const bearerToken = (text: string): string | null => (/^[A-Za-z0-9._~+/-]{16,512}=*$/.test(text) ? text : null);

function postgresUrl(text: string): string | null {
  return URL.canParse(text) && /^postgres(ql)?:$/.test(new URL(text).protocol) && new URL(text).username !== ''
    ? text
    : null;
}

/** An origin is scheme, host and port and nothing else (RFC 6454 §6.1); `*` would let any page read URLs. */
function origins(text: string): string[] | null {
  const entries = list(text);
  return entries.every((entry) => URL.canParse(entry) && new URL(entry).origin === entry) ? entries : null;
}
