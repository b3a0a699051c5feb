import { randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { Config, ConfigError } from '@countersign/config';

describe('Config', () => {
  const key = randomBytes(32).toString('base64');
  const good = {
    DATABASE_API_URL: 'postgresql://api:p%40ss@localhost/db',
    DATABASE_ISSUER_URL: 'postgres://issuer@localhost/db',
    DATABASE_OPERATOR_URL: 'postgresql://operator@localhost/db',
    ENCRYPTION_KEYS: `1:${key}`,
  };
  const faultsOf = (env: NodeJS.ProcessEnv) => {
    try {
      void new Config(env);
      return [];
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      return error.faults;
    }
  };

  it('needs four settings, and tells all that are missing at once', () => {
    const names = ['DATABASE_API_URL', 'DATABASE_ISSUER_URL', 'DATABASE_OPERATOR_URL', 'ENCRYPTION_KEYS'];
    expect(faultsOf({}).map((fault) => fault.split(' ')[0])).toEqual(names);
    expect(faultsOf({ ...good, ENCRYPTION_KEYS: '' })).toEqual([expect.stringMatching(/^ENCRYPTION_KEYS is missing/)]);
    expect(faultsOf(good)).toEqual([]);
  });

  it('has defaults that expose nothing', () => {
    expect(new Config(good)).toMatchObject({
      isProduction: false,
      host: '127.0.0.1',
      port: 3000,
      corsOrigins: [],
      trustedProxies: [],
      maxConnections: 2_000,
      keepAliveSeconds: 72,
      allowInsecureEndpoints: true,
      logLevel: 'info',
      rateLimitPerSubject: 10_000,
      rateLimitPerTenant: 100_000,
      databaseConnections: 12,
      reconcilesUploads: true,
      uploadRetentionDays: 30,
    });
    expect(new Config({ ...good, NODE_ENV: 'production' })).toMatchObject({
      isProduction: true,
      allowInsecureEndpoints: false,
    });
  });

  it.each([
    ['PORT', '70000'],
    ['PORT', '-1'],
    ['PORT', '80a'],
    ['DATABASE_API_URL', 'mysql://a@b/c'],
    ['DATABASE_API_URL', 'postgresql://localhost/db'],
    ['DATABASE_ISSUER_URL', 'localhost'],
    ['DATABASE_CONNECTIONS', '0'],
    ['RATE_LIMIT_PER_SUBJECT', '-1'],
    ['RATE_LIMIT_PER_SUBJECT', 'none'],
    ['RATE_LIMIT_PER_TENANT', '1.5'],
    ['DATABASE_CONNECTIONS', '1e3'],
    ['CORS_ORIGINS', '*'],
    ['CORS_ORIGINS', 'https://app.example.com/'],
    ['CORS_ORIGINS', 'https://app.example.com,app.example.com'],
    ['CORS_ORIGINS', 'https://*.example.com/a'],
    ['CORS_ORIGINS', 'null'],
    ['TRUSTED_PROXIES', 'proxy.example.com'],
    ['TRUSTED_PROXIES', '10.0.0.0/33'],
    ['TRUSTED_PROXIES', '0.0.0.0/0'],
    ['TRUSTED_PROXIES', '10.0.0.1,10'],
    ['MAX_CONNECTIONS', '0'],
    ['MAX_CONNECTIONS', '100001'],
    ['KEEP_ALIVE_SECONDS', '0'],
    ['ALLOW_INSECURE_ENDPOINTS', 'yes'],
    ['LOG_LEVEL', 'loud'],
    ['RECONCILE_UPLOADS', 'no'],
    ['UPLOAD_RETENTION_DAYS', '0'],
    ['UPLOAD_RETENTION_DAYS', '3651'],
    ['ENCRYPTION_KEYS', key],
    ['ENCRYPTION_KEYS', `0:${key}`],
    ['ENCRYPTION_KEYS', `256:${key}`],
    ['ENCRYPTION_KEYS', `1:${randomBytes(31).toString('base64')}`],
    ['ENCRYPTION_KEYS', `1:${key},1:${key}`],
    ['ENCRYPTION_KEYS', `1:${key},`],
  ])('refuses %s=%s, naming it and showing no value', (name, value) => {
    const faults = faultsOf({ ...good, [name]: value });
    expect(faults).toHaveLength(1);
    expect(faults[0]).toMatch(new RegExp(`^${name} must be `));
    // What was wrong may be a password with one letter too many.
    const error = new ConfigError(faults);
    for (const secret of [key, 'p%40ss', 'mysql://a@b']) expect(error.message).not.toContain(secret);
  });

  describe('the embedded store', () => {
    const store = {
      EMBEDDED_STORE_ENDPOINT: 'http://127.0.0.1:9000',
      EMBEDDED_STORE_ADMIN_ACCESS_KEY_ID: 'ADMIN',
      EMBEDDED_STORE_ADMIN_SECRET_ACCESS_KEY: 'an admin secret',
    };

    it('is there with all three variables, and is not with none', () => {
      expect(new Config({ ...good, ...store }).embeddedStore).toEqual({
        endpoint: 'http://127.0.0.1:9000',
        accessKeyId: 'ADMIN',
        secretAccessKey: 'an admin secret',
      });
      expect(new Config(good).embeddedStore).toBeNull();
      expect(new Config({ ...good, EMBEDDED_STORE_ENDPOINT: '' }).embeddedStore).toBeNull();
    });

    it('is refused in production, by the names of what is set', () => {
      const faults = faultsOf({ ...good, ...store, NODE_ENV: 'production' });
      expect(faults).toEqual(Object.keys(store).map((name) => expect.stringContaining(`${name} must not be set`)));
      expect(faults.join()).not.toContain('an admin secret');
    });

    it.each(Object.keys(store))('is refused without %s', (name) => {
      expect(faultsOf({ ...good, ...store, [name]: undefined })).toEqual([
        expect.stringMatching(new RegExp(`^${name} is missing`)),
      ]);
    });

    it.each(['127.0.0.1:9000', 'http://127.0.0.1:9000/', 'ftp://127.0.0.1', 'http://a:b@127.0.0.1:9000'])(
      'is refused at %s',
      (endpoint) => {
        expect(faultsOf({ ...good, ...store, EMBEDDED_STORE_ENDPOINT: endpoint })).toEqual([
          expect.stringMatching(/^EMBEDDED_STORE_ENDPOINT must be/),
        ]);
      },
    );
  });

  it('takes encryption keys in any order, the newest first', () => {
    const config = new Config({ ...good, ENCRYPTION_KEYS: `2:${key}, 10:${key} ,1:${key}` });
    expect(config.encryptionKeys.map(({ version }) => version)).toEqual([10, 2, 1]);
    expect(config.encryptionKeys[0]?.key).toHaveLength(32);
  });

  it('takes exact origins and several proxies', () => {
    const lists = {
      CORS_ORIGINS: 'https://app.example.com, http://localhost:5173',
      TRUSTED_PROXIES: '10.0.0.0/8,127.0.0.1, fd00::/8,::1',
    };
    expect(new Config({ ...good, ...lists })).toMatchObject({
      corsOrigins: ['https://app.example.com', 'http://localhost:5173'],
      trustedProxies: ['10.0.0.0/8', '127.0.0.1', 'fd00::/8', '::1'],
    });
  });
});
