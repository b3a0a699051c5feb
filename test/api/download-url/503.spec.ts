import { createPublicKey, type JsonWebKey } from 'node:crypto';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { asOwner as inTransaction, LATEST_MIGRATION, prepareDatabase } from '@countersign/database';
import { type EmbeddedPostgres, startPostgres } from '@countersign/embedded';
import pg from 'pg';
import { install, type Installation, type Tenant } from '../../support/installation.js';
import { callsBy } from '../calls.js';

const PASSWORD = 'only-of-this-spec';

/** Invariant 1, on a database of this spec's own, which it may take away. */
describe('Without its ledger, the API answers 503', () => {
  let dir: string;
  let postgres: EmbeddedPostgres;
  let installation: Installation;
  let tenant: Tenant;

  beforeAll(async () => {
    dir = await mkdtemp(path.join(os.tmpdir(), 'countersign-503-'));
    await chmod(dir, 0o711);
    postgres = await start();
    await prepareDatabase(postgres.urlFor('postgres'), 'prisma/migrations', urls());
    await trustPlatform(postgres.urlFor('postgres'));
    const { api: DATABASE_API_URL, issuer: DATABASE_ISSUER_URL, operator: DATABASE_OPERATOR_URL } = urls();
    installation = await install({ DATABASE_API_URL, DATABASE_ISSUER_URL, DATABASE_OPERATOR_URL });
    tenant = await installation.createTenant();
    await tenant.grant({ subject: { type: 'everyone' }, prefix: '' });
  });
  afterAll(async () => {
    await installation.close();
    await postgres.stop();
    await rm(dir, { recursive: true, force: true });
  });

  const start = (port?: number) =>
    startPostgres({ dir, password: PASSWORD, settings: ['fsync=off'], ...(port === undefined ? {} : { port }) });
  function urls() {
    const login = (name: string) => postgres.urlFor('postgres').replace(/\/\/[^@]+@/, `//test_${name}:${PASSWORD}@`);
    return { api: login('api'), issuer: login('issuer'), operator: login('operator') };
  }
  async function query<Row extends pg.QueryResultRow>(sql: string): Promise<Row[]> {
    const client = new pg.Client({ connectionString: postgres.urlFor('postgres') });
    await client.connect();
    try {
      return (await client.query<Row>(sql)).rows;
    } finally {
      await client.end();
    }
  }
  const issuances = () =>
    query<{ issuance_id: string }>('SELECT issuance_id FROM ledger WHERE issuance_id IS NOT NULL').then((rows) =>
      rows.map((row) => row.issuance_id).sort(),
    );
  const download = (key = 'a') =>
    callsBy(installation.api, tenant.token('alice')).post('/download-url', { bucket: 'files', key });
  const upload = () =>
    callsBy(installation.api, tenant.token('alice')).post('/upload-url', {
      bucket: 'files',
      key: 'a',
      contentType: 'text/plain',
      contentLength: 1,
    });

  function expectUnavailable(response: {
    status: number;
    text: string;
    headers: Record<string, string>;
    body: object;
  }) {
    expect(response.body).toMatchObject({ status: 503, code: 'ledger-unavailable', requestId: expect.any(String) });
    expect(response.headers['retry-after']).toMatch(/^[1-9]\d*$/);
    expect(response.headers['content-type']).toBe('application/problem+json; charset=utf-8');
    expect(response.text).not.toMatch(/X-Amz|https?:|permission|ECONN|:5432|append_to_ledger|Signature/i);
  }

  it('for a URL that cannot be recorded, and gives none', async () => {
    // Attack: fill the disk, or lock the log, and then take what nobody will ever find on record.
    await download().expect(201);
    const before = await issuances();
    await query('REVOKE EXECUTE ON FUNCTION append_to_ledger(jsonb) FROM countersign_issuer');
    expectUnavailable(await download());
    expectUnavailable(await upload());
    // A refusal that cannot be recorded is none either.
    expectUnavailable(
      await callsBy(installation.api, tenant.token('alice')).post('/download-url', { bucket: 'x', key: 'a' }),
    );
    await expect(issuances()).resolves.toEqual(before);

    await query('GRANT EXECUTE ON FUNCTION append_to_ledger(jsonb) TO countersign_issuer');
    const { body } = await download().expect(201);
    await expect(issuances()).resolves.toEqual([...before, body.issuanceId as string].sort());
  });

  it('for an administrative change that cannot be recorded, and leaves none', async () => {
    await query('REVOKE INSERT ON ledger FROM countersign_api, countersign_operator');
    const admin = callsBy(installation.api, tenant.admin);
    const operator = callsBy(installation.api, installation.operator);
    const useCase = { action: 'read', minExpirySeconds: 1, defaultExpirySeconds: 1, maxExpirySeconds: 1 };
    const grant = { subject: { type: 'everyone' }, bucket: 'files', key: 'b', actions: ['read'] };
    const { body: grants } = await admin.get('/grants');
    const changes = [
      admin.post('/grants', grant),
      admin.delete(`/grants/${grants.items[0].id}`),
      admin.put('/use-cases/mine', useCase),
      admin.delete('/use-cases/download'),
      operator.post('/tenants', { slug: 'unrecorded', name: 'x' }),
    ];
    for (const response of await Promise.all(changes)) expect(response.status).toBeGreaterThanOrEqual(500);
    await query('GRANT INSERT ON ledger TO countersign_api, countersign_operator');

    expect((await admin.get('/grants')).body).toEqual(grants);
    const names = (await admin.get('/use-cases')).body.items.map(({ name }: { name: string }) => name);
    expect(names).toEqual(['batch', 'download', 'one-time', 'share', 'upload']);
    await operator.post('/tenants', { slug: 'unrecorded', name: 'x' }).expect(201);
  });

  it('for everything while the database is away, and serves again by itself when it is back', async () => {
    const before = await issuances();
    const inFlight = Array.from({ length: 40 }, (_, n) => download(`in-flight/${n}`).then((response) => response));
    await postgres.stop();
    const granted = (await Promise.all(inFlight)).filter((response) => {
      if (response.status !== 201) expectUnavailable(response);
      return response.status === 201;
    });

    expectUnavailable(await download());
    expectUnavailable(await upload());
    expectUnavailable(await callsBy(installation.api, tenant.admin).get('/grants'));
    expectUnavailable(await callsBy(installation.api, installation.operator).get('/tenants'));
    expectUnavailable(await installation.api.get('/readyz'));
    await installation.api.get('/healthz').expect(200, { status: 'ok' });
    // What needs no database is still told: an outage must not look like a bad token, nor a bad token like an outage.
    await installation.api.get('/grants').expect(401);

    postgres = await start(postgres.port);
    await installation.api.get('/readyz').expect(200, { status: 'ok' });
    const { body } = await download().expect(201);
    await callsBy(installation.api, tenant.admin).get('/grants').expect(200);
    await callsBy(installation.api, installation.operator).get('/tenants').expect(200);
    // No URL without its row: each that got out as the database went down is on record.
    const recorded = new Set(await issuances());
    for (const id of [...before, ...granted.map((response) => response.body.issuanceId), body.issuanceId])
      expect(recorded).toContain(id);
  });

  it('at /readyz while a migration is missing', async () => {
    await query(`UPDATE _prisma_migrations SET rolled_back_at = now() WHERE migration_name = '${LATEST_MIGRATION}'`);
    expectUnavailable(await installation.api.get('/readyz'));
    await query('UPDATE _prisma_migrations SET rolled_back_at = NULL');
    await installation.api.get('/readyz').expect(200);
  });

  it('signing-key-unavailable while no key of the bucket can sign', async () => {
    await query(`UPDATE signing_keys SET expires_at = now()`);
    const { body, headers } = await download();
    expect(body).toMatchObject({ status: 503, code: 'signing-key-unavailable' });
    expect(headers['retry-after']).toMatch(/^[1-9]/);
    await query(`UPDATE signing_keys SET expires_at = NULL, state = 'revoked'`);
    expect((await upload()).body.code).toBe('signing-key-unavailable');
    // Attack: a ciphertext that was moved or changed in the database.
    await query(
      `UPDATE signing_keys SET state = 'active', sealed_credential = set_byte(sealed_credential, 20, get_byte(sealed_credential, 20) # 1)`,
    );
    expect((await download()).body.code).toBe('signing-key-unavailable');
  });
});

/** The run's platform issuer, in this database too. */
async function trustPlatform(ownerUrl: string): Promise<void> {
  const key = JSON.parse(process.env['TEST_PLATFORM_KEY'] ?? '') as JsonWebKey;
  const jwk = createPublicKey({ key, format: 'jwk' }).export({ format: 'jwk' });
  await inTransaction(ownerUrl, async (transaction) => {
    const { id: tenantId } = await transaction.tenant.create({ data: { slug: 'platform', name: 'Platform' } });
    const names = { issuer: 'https://platform.test', audience: 'countersign', algorithms: ['ES256'], platform: true };
    const jwks = { keys: [{ ...jwk, kid: 'platform' }] } as never;
    await transaction.issuer.create({ data: { tenantId, ...names, jwks } });
  });
}
