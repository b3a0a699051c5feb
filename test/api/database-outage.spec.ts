import { createPublicKey, randomBytes, type JsonWebKey } from 'node:crypto';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type EmbeddedPostgres, startPostgres } from '@countersign/embedded';
import type { JsonWebKeySet } from '@countersign/identity';
import pg from 'pg';
import { initPlatform } from '../../apps/api/src/platform-init/init-platform.js';
import { freshDatabase, type FreshDatabase } from '../support/fresh-database.js';
import { install, type Installation, type Tenant } from '../support/installation.js';

/** An answer to one of the requests that go on through all of it. */
interface Answer {
  status: number;
  retryAfter: string | undefined;
  text: string;
}

const PASSWORD = randomBytes(12).toString('hex');

/** A crowd goes on asking through all of it; what each endpoint answers meanwhile is in the 503 specs. */
describe('The database is stopped in mid-run, and started again', () => {
  let dir: string;
  let postgres: EmbeddedPostgres;
  let database: FreshDatabase;
  let installation: Installation;
  let tenant: Tenant;

  beforeAll(async () => {
    dir = await mkdtemp(path.join(tmpdir(), 'countersign-outage-'));
    await chmod(dir, 0o711);
    postgres = await startPostgres({ dir, password: PASSWORD });
    database = await freshDatabase(postgres.urlFor('postgres'));
    await makePlatform(database.ownerUrl);
    installation = await install(database.env);
    tenant = await installation.createTenant();
    await tenant.grant({ subject: { type: 'everyone' }, prefix: 'users/{sub}/' });
  });
  afterAll(async () => {
    await installation.close();
    await postgres.stop();
    await rm(dir, { recursive: true, force: true });
  });

  const ask = async (): Promise<Answer> => {
    const key = `users/alice/${randomBytes(8).toString('hex')}.txt`;
    const body = { bucket: 'files', key, contentType: 'text/plain', contentLength: 1 };
    const { status, headers, text } = await installation.api
      .post('/upload-url')
      .auth(tenant.token('alice'), { type: 'bearer' })
      .send(body);
    return { status, retryAfter: headers['retry-after'], text };
  };

  it('the crowd gets 503 with Retry-After and no URL while it is away, and 201 again by itself', async () => {
    const answers: Answer[] = [];
    const over = new AbortController();
    const crowd = Array.from({ length: 12 }, async () => {
      while (!over.signal.aborted) {
        answers.push(await ask());
        await sleep(5);
      }
    });
    const since = (start: number, status: number) => answers.slice(start).filter((answer) => answer.status === status);
    const until = async (isReached: () => boolean) => {
      while (!isReached()) await sleep(10);
    };

    try {
      await until(() => since(0, 201).length >= 50);
      const release = await holdLedger(database.ownerUrl);
      // Until nobody is answered any more: all twelve wait inside the append, and the server goes away under them.
      let stuckAt = -1;
      while (stuckAt !== answers.length) {
        stuckAt = answers.length;
        await sleep(500);
      }
      await postgres.stop();
      await release();
      // An append may have committed as the server went down; once each of the twelve has asked again, none can any more.
      await until(() => since(stuckAt, 503).length >= 50);
      const awayAt = answers.length;
      await until(() => answers.length >= awayAt + 50);
      expect(since(awayAt, 201)).toEqual([]);

      postgres = await startPostgres({ dir, port: postgres.port, password: PASSWORD });
      const startedAt = answers.length;
      await until(() => since(startedAt, 201).length >= 50);
    } finally {
      over.abort();
      await Promise.all(crowd);
    }

    // Invariant 1, through an outage: an answer that was given is on record, however the server went away.
    const issued = answers.filter(({ status }) => status === 201);
    const ids = issued.map(({ text }) => (JSON.parse(text) as { issuanceId: string }).issuanceId);
    const rows = await database.query('SELECT issuance_id FROM ledger WHERE issuance_id = ANY ($1)', [ids]);
    expect(rows).toHaveLength(ids.length);

    const refusals = answers.filter(({ status }) => status !== 201);
    expect(new Set(refusals.map(({ status }) => status))).toEqual(new Set([503]));
    for (const { retryAfter, text } of refusals) {
      expect(retryAfter).toMatch(/^[1-9]\d?$/);
      expect(JSON.parse(text)).toMatchObject({ code: 'ledger-unavailable', status: 503 });
      expect(text).not.toMatch(/"url"|X-Amz-|https?:/);
    }
  });
});

/** Makes every append wait. The session that does so goes away with the server. */
async function holdLedger(ownerUrl: string): Promise<() => Promise<void>> {
  const client = new pg.Client({ connectionString: ownerUrl });
  client.on('error', () => undefined);
  await client.connect();
  await client.query('BEGIN; LOCK TABLE ledger IN ACCESS EXCLUSIVE MODE');
  return () => client.end().catch(() => undefined);
}

/** The platform issuer that the installation's operator has a token of. */
async function makePlatform(ownerUrl: string): Promise<void> {
  const key = JSON.parse(process.env['TEST_PLATFORM_KEY'] ?? '') as JsonWebKey;
  const jwk = createPublicKey({ key, format: 'jwk' }).export({ format: 'jwk' });
  const jwks = { keys: [{ ...jwk, kid: 'platform', alg: 'ES256', use: 'sig' }] } as JsonWebKeySet;
  await initPlatform(ownerUrl, {
    tenant: { slug: 'platform', name: 'Platform' },
    issuer: { tenant: 'platform', issuer: 'https://platform.test', audience: 'countersign', jwks, platform: true },
    isForced: false,
  });
}
