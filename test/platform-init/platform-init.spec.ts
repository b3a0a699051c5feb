import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import jwt from 'jsonwebtoken';
import request from 'supertest';
import { readOptions, type UsageError } from '../../apps/api/src/platform-init/options.js';
import { runBuilt, startBuiltApi } from '../support/built-program.js';
import { freshDatabase, type FreshDatabase } from '../support/fresh-database.js';

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const jwks = { keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'key-1', alg: 'ES256', use: 'sig' }] };
const WHO = ['--tenant', 'platform', '--issuer', 'https://id.example.com/', '--audience', 'countersign-platform'];

describe('platform:init', () => {
  let database: FreshDatabase;
  let dir: string;
  let jwksFile: string;

  beforeAll(async () => {
    dir = await mkdtemp(path.join(tmpdir(), 'countersign-platform-init-'));
    jwksFile = path.join(dir, 'jwks.json');
    await writeFile(jwksFile, JSON.stringify(jwks));
  });
  afterAll(() => rm(dir, { recursive: true, force: true }));

  beforeEach(async () => {
    await database?.drop();
    database = await freshDatabase();
  });
  afterAll(() => database.drop());

  const init = (args: string[], env: NodeJS.ProcessEnv = {}, input?: string) =>
    runBuilt('dist/apps/api/src/platform-init/main.js', args, { ...asOperator(), ...env }, input);
  const asOperator = () => ({ DATABASE_OPERATOR_URL: database.env.DATABASE_OPERATOR_URL });
  const count = async (table: string) =>
    (await database.query<{ n: number }>(`SELECT count(*)::int n FROM ${table}`))[0]?.n;

  it('makes a tenant and an issuer whose tokens may make all others by the API', async () => {
    await expect(init([...WHO, '--name', 'The platform', '--jwks', jwksFile])).resolves.toEqual({
      exitCode: 0,
      stdout:
        'tenant "platform": made\nplatform issuer "https://id.example.com/" for audience "countersign-platform": made\n',
      stderr: '',
    });

    const api = await startBuiltApi({
      ...database.env,
      ENCRYPTION_KEYS: `1:${Buffer.alloc(32, 1).toString('base64')}`,
    });
    try {
      const claims = {
        iss: 'https://id.example.com/',
        aud: 'countersign-platform',
        sub: 'root',
        scope: 'admin:platform',
      };
      const token = jwt.sign(claims, privateKey, { algorithm: 'ES256', keyid: 'key-1', expiresIn: '5m' });
      const as = { type: 'bearer' } as const;
      await request(api.url).post('/tenants').auth(token, as).send({ slug: 'first', name: 'First' }).expect(201);
      const issuer = { tenant: 'first', issuer: 'https://first.example.com', audience: 'countersign', jwks };
      await request(api.url).post('/issuers').auth(token, as).send(issuer).expect(201);
    } finally {
      await api.stop();
    }
  });

  it('records both in the ledger of the tenant, as the system and by nobody else', async () => {
    await init([...WHO, '--jwks', jwksFile]);

    const rows = await database.query(
      `SELECT l.subject, l.action, l.decision, l.client_address, t.slug, l.details FROM ledger l JOIN tenants t ON t.id = l.tenant_id ORDER BY l.action`,
    );
    const bySystem = { subject: 'system:platform-init', decision: 'granted', client_address: null, slug: 'platform' };
    expect(rows).toEqual([
      { ...bySystem, action: 'issuer.created', details: { issuer: expect.objectContaining({ platform: true, jwks }) } },
      { ...bySystem, action: 'tenant.created', details: { tenant: expect.objectContaining({ name: 'platform' }) } },
    ]);
    expect(await count('use_cases')).toBe(5);
  });

  it('does the same as the owner, with the keys from standard input, and with every claim by its name', async () => {
    const claims = ['--subject-claim', '/app/id', '--scope-claim', 'permissions', '--scope-prefix', 'cs/'];
    const env = { DATABASE_OPERATOR_URL: '', DATABASE_URL: database.ownerUrl };

    await expect(init([...WHO, ...claims, '--jwks', '-'], env, JSON.stringify(jwks))).resolves.toMatchObject({
      exitCode: 0,
    });

    await expect(database.query('SELECT * FROM issuers')).resolves.toMatchObject([
      {
        subject_claim: '/app/id',
        scope_claim: 'permissions',
        scope_prefix: 'cs/',
        algorithms: ['ES256'],
        platform: true,
      },
    ]);
  });

  it('run again, or by several at once, changes nothing and says what is there', async () => {
    const args = [...WHO, '--jwks-uri', 'https://id.example.com/jwks.json', '--algorithms', 'RS256'];

    const runs = await Promise.all([init(args), init(args), init(args)]);

    expect(runs.map(({ exitCode }) => exitCode)).toEqual([0, 0, 0]);
    expect(runs.filter(({ stdout }) => stdout.includes('": made'))).toHaveLength(1);
    await expect(init(args)).resolves.toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(/^tenant "platform": there already\nplatform issuer .+: there already\n$/),
    });
    expect([await count('tenants'), await count('issuers'), await count('ledger')]).toEqual([1, 1, 2]);
  });

  it('refuses to change what is there, and says how to', async () => {
    await init([...WHO, '--jwks', jwksFile]);

    const other = await init([...WHO, '--jwks-uri', 'https://id.example.com/jwks.json']);

    expect(other.exitCode).toBe(1);
    expect(other.stderr).toMatch(/with another jwksUri\. To change it: PATCH \/issuers\/[0-9a-f-]{36}\.\n$/);
    await expect(database.query('SELECT jwks, jwks_uri FROM issuers')).resolves.toEqual([{ jwks, jwks_uri: null }]);
  });

  it('refuses a second platform issuer, unless it is forced: keys may be lost', async () => {
    await init([...WHO, '--jwks', jwksFile]);
    const second = [...WHO.with(3, 'https://other.example.com'), '--jwks', jwksFile];

    const refused = await init(second);

    expect(refused.exitCode).toBe(1);
    expect(refused.stderr).toContain('There is a platform issuer already: "https://id.example.com/"');
    expect(await count('issuers')).toBe(1);
    await expect(init([...second, '--force'])).resolves.toMatchObject({ exitCode: 0 });
    expect(await count('issuers')).toBe(2);
  });

  it('refuses an issuer that a tenant has already, and a tenant that is suspended', async () => {
    await init([...WHO, '--jwks', jwksFile]);
    await database.query(`UPDATE issuers SET platform = false`);
    await expect(init([...WHO, '--jwks', jwksFile])).resolves.toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('no platform issuer: choose another --audience'),
    });

    await database.query(`UPDATE tenants SET state = 'suspended'`);
    await expect(init([...WHO.with(5, 'other'), '--jwks', jwksFile])).resolves.toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('is suspended'),
    });
    expect(await count('issuers')).toBe(1);
  });

  it('names every option that is wrong, by the rules of POST /issuers, and then touches nothing', async () => {
    const secretJwks = path.join(dir, 'private.json');
    await writeFile(secretJwks, JSON.stringify({ keys: [privateKey.export({ format: 'jwk' })] }));
    const wrong = (...args: string[]) =>
      readOptions(args, {}).then(
        () => [],
        (error: unknown) => (error as UsageError).faults,
      );

    await expect(wrong()).resolves.toEqual(['--tenant is missing', '--issuer is missing', '--audience is missing']);
    await expect(wrong('--tenant', 'No Slug', ...WHO.slice(2), '--jwks', secretJwks)).resolves.toEqual([
      expect.stringMatching(/^--tenant must be 1 to 63 of/),
      expect.stringMatching(/^--jwks .*holds a private key: give the public part only$/),
    ]);
    await expect(wrong(...WHO)).resolves.toEqual(['--jwks must be given, or --jwks-uri']);
    await expect(wrong(...WHO, '--jwks', jwksFile, '--jwks-uri', 'https://a.example.com')).resolves.toEqual([
      '--jwks-uri must be left out where jwks is given',
    ]);
    await expect(wrong(...WHO, '--jwks-uri', 'http://id.example.com/jwks')).resolves.toEqual([
      '--jwks-uri must be https:',
    ]);
    await expect(wrong(...WHO, '--jwks', path.join(dir, 'nowhere'))).resolves.toEqual([
      expect.stringMatching(/^--jwks cannot be read: ENOENT/),
    ]);
    await expect(wrong(...WHO, '--jwks', jwksFile, '--algorithms', 'HS256')).resolves.toEqual([
      expect.stringMatching(/^--algorithms /),
    ]);
    await expect(wrong('--teant', 'x')).resolves.toEqual([expect.stringContaining("'--teant'")]);

    await expect(init(['--tenant', 'platform', '--teant', 'x'])).resolves.toEqual({
      exitCode: 2,
      stdout: '',
      stderr: expect.stringMatching(/'--teant'.*\nSee --help\.\n$/),
    });
    expect(await count('tenants')).toBe(0);
  });

  it('explains a database that is not there, refuses the login, lacks a migration, or was not named', async () => {
    const failing = async (url: string) => {
      const { exitCode, stderr } = await init([...WHO, '--jwks', jwksFile], { DATABASE_OPERATOR_URL: url });
      expect(stderr).not.toContain(new URL(url).password);
      return [exitCode, stderr.trimEnd()];
    };
    const url = new URL(database.env.DATABASE_OPERATOR_URL);

    await expect(failing(Object.assign(new URL(url), { port: '1' }).href)).resolves.toEqual([
      1,
      'The database does not answer: is its URL right?',
    ]);
    await expect(failing(Object.assign(new URL(url), { password: 'not-the-password' }).href)).resolves.toEqual([
      1,
      "The database refuses the login: is its URL's user and password right?",
    ]);
    await expect(failing(process.env['TEST_DATABASE_URL'] ?? '')).resolves.toEqual([
      1,
      'The database lacks a migration: run "npm run db:migrate" first.',
    ]);
    await expect(init([...WHO, '--jwks', jwksFile], { DATABASE_OPERATOR_URL: '' })).resolves.toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('DATABASE_OPERATOR_URL, or DATABASE_URL, is missing'),
    });
  });

  it('explains itself', async () => {
    const { exitCode, stdout } = await init(['--help']);

    expect(exitCode).toBe(0);
    expect(stdout).toContain('npm run platform:init -- --tenant <slug>');
  });
});
