import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll } from '@jest/globals';
import pg from 'pg';

export const ROLES = ['api', 'issuer', 'operator'] as const;

export interface Seed {
  tenant: string;
  bucket: string;
  signingKey: string;
}

/** Connections of one spec as the API makes them, and one of the owner's, with nothing of ours between. */
export function connections() {
  const clients = new Map<string, pg.Client>();
  async function connect(name: string, connectionString = ''): Promise<pg.Client> {
    const client = new pg.Client({ connectionString });
    clients.set(name, client);
    await client.connect();
    return client;
  }
  beforeAll(async () => {
    await connect('owner', process.env['TEST_OWNER_URL']);
    for (const role of ROLES) await connect(role, process.env[`DATABASE_${role.toUpperCase()}_URL`]);
  });
  afterAll(() => Promise.all([...clients.values()].map((client) => client.end())));

  async function run<Row extends pg.QueryResultRow>(name: string, sql: string, values: unknown[] = []): Promise<Row[]> {
    const client = clients.get(name);
    if (!client) throw new Error(`not connected as ${name}`);
    return (await client.query<Row>(sql, values)).rows;
  }
  /** The SQLSTATE that a statement ends in, or what it gave. */
  const codeOf = (name: string, sql: string, values: unknown[] = []) =>
    run(name, sql, values).then(
      (rows) => rows,
      (error: pg.DatabaseError) => error.code,
    );

  /** A tenant with one row in each table. */
  async function seed(): Promise<Seed> {
    const [tenant, bucket, signingKey] = [randomUUID(), randomUUID(), randomUUID()];
    await run('owner', `INSERT INTO tenants (id, slug, name) VALUES ($1, $2, 'x')`, [tenant, `r-${tenant}`]);
    await run('owner', INSERT_ISSUER, [randomUUID(), tenant, tenant]);
    await run('owner', INSERT_BUCKET, [bucket, tenant]);
    await run('owner', INSERT_KEY, [signingKey, tenant, bucket, 'active']);
    await run('owner', INSERT_GRANT, [randomUUID(), tenant, bucket]);
    await run('owner', INSERT_USE_CASE, [tenant, 'own']);
    await run('owner', INSERT_LEDGER, [randomUUID(), tenant, new Date()]);
    await run('owner', INSERT_UPLOAD, [randomUUID(), tenant, bucket]);
    await run('owner', INSERT_IDEMPOTENCY_KEY, [tenant, 'own']);
    return { tenant, bucket, signingKey };
  }
  return { run, codeOf, seed };
}

export const INSERT_ISSUER = `INSERT INTO issuers (id, tenant_id, issuer, audience, algorithms, jwks) VALUES ($1, $2, $3, 'a', '{ES256}', '{}')`;
export const INSERT_BUCKET = `INSERT INTO buckets (id, tenant_id, name, provider, region, bucket, acl) VALUES ($1, $2, 'b', 's3', 'r', 'x', 'none')`;
export const INSERT_KEY = `INSERT INTO signing_keys (id, tenant_id, bucket_id, access_key_id, sealed_credential, state) VALUES ($1, $2, $3, 'AK', 'x', $4)`;
export const INSERT_GRANT = `INSERT INTO grants (id, tenant_id, bucket_id, subject_type, subject_id, path, is_prefix, lookup_path, actions) VALUES ($1, $2, $3, 'everyone', '', '', true, '', '{read}')`;
export const INSERT_USE_CASE = `INSERT INTO use_cases (tenant_id, name, action, min_expiry_seconds, max_expiry_seconds) VALUES ($1, $2, 'any', 1, 2)`;
export const INSERT_LEDGER = `INSERT INTO ledger (id, tenant_id, at, subject, action, decision, request_id) VALUES ($1, $2, $3, 's', 'a', 'granted', 'r')`;
export const INSERT_IDEMPOTENCY_KEY = `INSERT INTO idempotency_keys (tenant_id, subject, key, fingerprint, answer, expires_at) VALUES ($1, 's', $2, 'f', '{}', now() + interval '1 hour')`;
export const INSERT_UPLOAD = `INSERT INTO uploads (id, tenant_id, subject, bucket_id, bucket, key, use_case, mode, content_type, content_length, overwrite, created_at, expires_at, due_at)
  VALUES ($1, $2, 's', $3, 'b', 'k', 'upload', 'put', 'text/plain', 5, false, now(), now(), now())`;
