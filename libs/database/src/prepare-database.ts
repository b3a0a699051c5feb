import pg from 'pg';
import { ensureLogin } from './ensure-login.js';
import { migrate } from './migrate.js';

/** The URLs that the API connects by; each names a login of its own. */
export interface RuntimeUrls {
  api: string;
  issuer: string;
  operator: string;
}

/** What was done, for whoever waits. */
export interface Preparation {
  migrations: string[];
  partitions: string[];
}

/**
 * What the owner does before the API can run: migrations, the logins of the three runtime roles where their URLs are given, and the
 * ledger's partitions of this month and the next three. Done again, it does nothing.
 */
export async function prepareDatabase(
  ownerUrl: string,
  migrationsDir: string,
  runtime: Partial<RuntimeUrls>,
): Promise<Preparation> {
  const migrations = await migrate(ownerUrl, migrationsDir);
  if (runtime.api) await ensureLogin(ownerUrl, 'countersign_api', runtime.api);
  if (runtime.issuer) await ensureLogin(ownerUrl, 'countersign_issuer', runtime.issuer);
  if (runtime.operator) await ensureLogin(ownerUrl, 'countersign_operator', runtime.operator);
  return { migrations, partitions: await createLedgerPartitions(ownerUrl) };
}

async function createLedgerPartitions(ownerUrl: string): Promise<string[]> {
  const client = new pg.Client({ connectionString: ownerUrl });
  await client.connect();
  try {
    const { rows } = await client.query<{ name: string }>(
      'SELECT create_ledger_partitions AS name FROM create_ledger_partitions(3)',
    );
    return rows.map((row) => row.name);
  } finally {
    await client.end();
  }
}
