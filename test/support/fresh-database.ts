import { randomBytes, randomUUID } from 'node:crypto';
import { prepareDatabase } from '@countersign/database';
import pg from 'pg';

/** A database of a test's own: migrated, with logins of its own, and empty. */
export interface FreshDatabase {
  ownerUrl: string;
  /** What the API is told of it. */
  env: Record<'DATABASE_API_URL' | 'DATABASE_ISSUER_URL' | 'DATABASE_OPERATOR_URL', string>;
  query<Row extends pg.QueryResultRow>(sql: string, values?: unknown[]): Promise<Row[]>;
  drop(): Promise<void>;
}

/** @param maintenanceUrl of a superuser; the run's server by default. */
export async function freshDatabase(maintenanceUrl = process.env['TEST_DATABASE_URL'] ?? ''): Promise<FreshDatabase> {
  const name = `fresh_${randomUUID().replaceAll('-', '')}`;
  await query(maintenanceUrl, `CREATE DATABASE ${name}`);
  const ownerUrl = urlOf(maintenanceUrl, { database: name });
  const login = (role: string) =>
    urlOf(ownerUrl, { user: `${name}_${role}`, password: randomBytes(18).toString('base64url') });
  const urls = { api: login('api'), issuer: login('issuer'), operator: login('operator') };
  await prepareDatabase(ownerUrl, 'prisma/migrations', urls);
  return {
    ownerUrl,
    env: { DATABASE_API_URL: urls.api, DATABASE_ISSUER_URL: urls.issuer, DATABASE_OPERATOR_URL: urls.operator },
    query: (sql, values) => query(ownerUrl, sql, values),
    drop: async () => {
      await query(maintenanceUrl, `DROP DATABASE ${name} WITH (FORCE)`);
      for (const role of ['api', 'issuer', 'operator']) await query(maintenanceUrl, `DROP ROLE ${name}_${role}`);
    },
  };
}

async function query<Row extends pg.QueryResultRow>(url: string, sql: string, values: unknown[] = []): Promise<Row[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Row>(sql, values)).rows;
  } finally {
    await client.end();
  }
}

function urlOf(base: string, { database, user, password }: { database?: string; user?: string; password?: string }) {
  const url = new URL(base);
  if (database !== undefined) url.pathname = `/${database}`;
  if (user !== undefined) url.username = user;
  if (password !== undefined) url.password = password;
  return url.href;
}
