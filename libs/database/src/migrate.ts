import { createHash, randomUUID } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { Client } from 'pg';

/** The Prisma CLI's own, so that it and this wait for each other. */
const MIGRATION_LOCK = 72707369;

/** The table as the Prisma CLI makes it. */
const CREATE_TABLE = `
  CREATE TABLE IF NOT EXISTS _prisma_migrations (
    id                  VARCHAR(36) PRIMARY KEY NOT NULL,
    checksum            VARCHAR(64) NOT NULL,
    finished_at         TIMESTAMPTZ,
    migration_name      VARCHAR(255) NOT NULL,
    logs                TEXT,
    rolled_back_at      TIMESTAMPTZ,
    started_at          TIMESTAMPTZ NOT NULL DEFAULT now(),
    applied_steps_count INTEGER NOT NULL DEFAULT 0
  )`;

interface Migration {
  name: string;
  sql: string;
  checksum: string;
}

/**
 * Brings a database to the newest migration, as `prisma migrate deploy` does, and gives the names of those it applied, in order.
 * The two may take turns on one database. Of several runners at once, one applies and the others find nothing to do.
 *
 * Refuses, before anything is applied, a database in which a migration failed earlier, was edited after it was applied, or is
 * unknown to this checkout. A migration that fails stays on record as failed, with its error, until somebody resolves it.
 *
 * @param connectionString of the owner of the tables
 * @param migrationsDir the folder that holds a folder for each migration, usually `prisma/migrations`
 * @param onProgress called with a migration's name right before it is applied
 */
export async function migrate(
  connectionString: string,
  migrationsDir: string,
  onProgress: (name: string) => void = () => {},
): Promise<string[]> {
  const migrations = await readMigrations(migrationsDir);
  const client = new Client({ connectionString });
  await client.connect();
  try {
    await client.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK]);
    const pending = await findPending(client, migrations);
    for (const migration of pending) {
      onProgress(migration.name);
      await apply(client, migration);
    }
    return pending.map(({ name }) => name);
  } finally {
    // The end of the session gives the lock back, whatever happened.
    await client.end();
  }
}

async function readMigrations(dir: string): Promise<Migration[]> {
  const entries = await readdir(dir, { withFileTypes: true });
  const names = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  return Promise.all(
    names.sort().map(async (name) => {
      const file = await readFile(path.join(dir, name, 'migration.sql'));
      return { name, sql: file.toString('utf8'), checksum: createHash('sha256').update(file).digest('hex') };
    }),
  );
}

async function findPending(client: Client, migrations: Migration[]): Promise<Migration[]> {
  await client.query(CREATE_TABLE);
  const { rows } = await client.query<{ name: string; checksum: string; finished: boolean }>(
    `SELECT migration_name AS name, checksum, finished_at IS NOT NULL AS finished
       FROM _prisma_migrations WHERE rolled_back_at IS NULL ORDER BY started_at`,
  );

  const failed = rows.find((row) => !row.finished);
  if (failed) {
    throw new Error(
      `Migration ${failed.name} failed earlier. Repair what it left behind, then run \`npx prisma migrate resolve\` with ` +
        `--rolled-back ${failed.name} (it will be applied again) or --applied ${failed.name} (you have finished it by hand).`,
    );
  }

  const known = new Map(migrations.map((migration) => [migration.name, migration]));
  const unknown = rows.filter((row) => !known.has(row.name)).map((row) => row.name);
  if (unknown.length > 0) {
    throw new Error(
      `The database has migrations that this version does not know: ${unknown.join(', ')}. ` +
        'It belongs to a newer version, or to another program: nothing was changed.',
    );
  }

  const edited = rows.filter((row) => known.get(row.name)?.checksum !== row.checksum).map((row) => row.name);
  if (edited.length > 0) {
    throw new Error(
      `Edited after they were applied: ${edited.join(', ')}. Restore the files, and put the change into a new migration.`,
    );
  }

  const applied = new Set(rows.map((row) => row.name));
  return migrations.filter(({ name }) => !applied.has(name));
}

async function apply(client: Client, { name, sql, checksum }: Migration): Promise<void> {
  const id = randomUUID();
  await client.query('INSERT INTO _prisma_migrations (id, checksum, migration_name) VALUES ($1, $2, $3)', [
    id,
    checksum,
    name,
  ]);
  try {
    await client.query(sql);
  } catch (error) {
    // A script that opened a transaction leaves the session inside it, where nothing could be recorded.
    await client.query('ROLLBACK').catch(() => {});
    const cause = error instanceof Error ? error.message : String(error);
    await client.query('UPDATE _prisma_migrations SET logs = $2 WHERE id = $1', [id, cause]);
    throw new Error(`Migration ${name} failed: ${cause}`, { cause: error });
  }
  await client.query('UPDATE _prisma_migrations SET finished_at = now(), applied_steps_count = 1 WHERE id = $1', [id]);
}
