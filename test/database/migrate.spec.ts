import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Client } from 'pg';
import { migrate } from '../../libs/database/src/migrate.js';

const MIGRATIONS = 'prisma/migrations';
const CLI_TIMEOUT_MS = 60_000;

let workDir: string;
const databases: string[] = [];

beforeAll(async () => {
  workDir = await mkdtemp(path.join(tmpdir(), 'countersign-migrate-'));
});

afterAll(async () => {
  for (const name of databases) await query(maintenanceUrl(), `DROP DATABASE "${name}" WITH (FORCE)`);
  await rm(workDir, { recursive: true, force: true });
});

describe('migrate', () => {
  it('applies what is missing, in order, and then finds nothing to do', async () => {
    const url = await newDatabase();
    const dir = await migrationsDir({ '1_one': 'CREATE TABLE one (a int)', '2_two': 'ALTER TABLE one ADD b int' });
    const seen: string[] = [];

    await expect(migrate(url, dir, (name) => seen.push(name))).resolves.toEqual(['1_one', '2_two']);
    expect(seen).toEqual(['1_one', '2_two']);
    await expect(migrate(url, dir)).resolves.toEqual([]);

    await addMigration(dir, '3_three', 'ALTER TABLE one ADD c int');
    await expect(migrate(url, dir)).resolves.toEqual(['3_three']);
  });

  it('runs functions and blocks whose bodies hold semicolons', async () => {
    const url = await newDatabase();
    const dir = await migrationsDir({
      '1_function': `
        CREATE FUNCTION f() RETURNS text LANGUAGE plpgsql AS $$ BEGIN PERFORM 1; RETURN 'a;b'; END; $$;
        DO $do$ BEGIN PERFORM f(); END $do$;`,
    });

    await migrate(url, dir);

    await expect(query(url, 'SELECT f()')).resolves.toEqual([{ f: 'a;b' }]);
  });

  it('applies each migration once when several runners start together', async () => {
    const url = await newDatabase();
    const dir = await migrationsDir({ '1_slow': 'CREATE TABLE one (a int); SELECT pg_sleep(0.3)' });

    const applied = await Promise.all([migrate(url, dir), migrate(url, dir), migrate(url, dir)]);

    expect(applied.flat()).toEqual(['1_slow']);
  });

  it('keeps a failed migration on record, changes nothing by it, and goes on only after somebody resolved it', async () => {
    const url = await newDatabase();
    const dir = await migrationsDir({
      '1_one': 'CREATE TABLE one (a int)',
      '2_bad': 'CREATE TABLE two (a int); SELECT 1/0',
    });

    await expect(migrate(url, dir)).rejects.toThrow('Migration 2_bad failed: division by zero');
    await expect(history(url)).resolves.toEqual([
      { migration_name: '1_one', finished: true, applied_steps_count: 1, logs: null },
      { migration_name: '2_bad', finished: false, applied_steps_count: 0, logs: 'division by zero' },
    ]);
    await expect(query(url, `SELECT to_regclass('two') AS two`)).resolves.toEqual([{ two: null }]);

    await addMigration(dir, '2_bad', 'CREATE TABLE two (a int)');
    await expect(migrate(url, dir)).rejects.toThrow(/2_bad failed earlier.*--rolled-back 2_bad/s);
    await query(url, `UPDATE _prisma_migrations SET rolled_back_at = now() WHERE migration_name = '2_bad'`);
    await expect(migrate(url, dir)).resolves.toEqual(['2_bad']);
  });

  it('records a failure inside a transaction that the migration opened itself', async () => {
    const url = await newDatabase();
    const dir = await migrationsDir({ '1_bad': 'BEGIN; CREATE TABLE one (a int); SELECT 1/0; COMMIT' });

    await expect(migrate(url, dir)).rejects.toThrow('division by zero');
    await expect(history(url)).resolves.toMatchObject([{ finished: false, logs: 'division by zero' }]);
  });

  it('refuses a migration that was edited after it was applied', async () => {
    const url = await newDatabase();
    const dir = await migrationsDir({ '1_one': 'CREATE TABLE one (a int)' });
    await migrate(url, dir);

    await addMigration(dir, '1_one', 'CREATE TABLE one (a bigint)');
    await addMigration(dir, '2_two', 'CREATE TABLE two (a int)');

    await expect(migrate(url, dir)).rejects.toThrow('Edited after they were applied: 1_one');
    await expect(query(url, `SELECT to_regclass('two') AS two`)).resolves.toEqual([{ two: null }]);
  });

  it('refuses a database that is ahead of this checkout', async () => {
    const url = await newDatabase();
    const newer = { '1_one': 'CREATE TABLE one (a int)', '2_two': 'CREATE TABLE two (a int)' };
    await migrate(url, await migrationsDir(newer));

    const older = await migrationsDir({ '1_one': newer['1_one'], '3_three': 'CREATE TABLE three (a int)' });

    await expect(migrate(url, older)).rejects.toThrow('does not know: 2_two');
    await expect(query(url, `SELECT to_regclass('three') AS three`)).resolves.toEqual([{ three: null }]);
  });
});

describe('the stock Prisma CLI', () => {
  it(
    'finds a database that migrate made up to date, and applies nothing to it',
    async () => {
      const url = await newDatabase();
      await migrate(url, MIGRATIONS);

      await expect(prisma(url, 'migrate', 'status')).resolves.toMatchObject({
        exitCode: 0,
        output: expect.stringContaining('Database schema is up to date!'),
      });
      await expect(prisma(url, 'migrate', 'deploy')).resolves.toMatchObject({
        exitCode: 0,
        output: expect.stringContaining('No pending migrations to apply.'),
      });
    },
    CLI_TIMEOUT_MS,
  );

  it(
    'and migrate take turns: neither repeats what the other applied',
    async () => {
      const url = await newDatabase();

      await expect(prisma(url, 'migrate', 'deploy')).resolves.toMatchObject({ exitCode: 0 });

      await expect(migrate(url, MIGRATIONS)).resolves.toEqual([]);
    },
    CLI_TIMEOUT_MS,
  );
});

describe('the drift check', () => {
  it(
    'passes for the repository, and sees a column that no migration makes',
    async () => {
      const drifted = path.join(workDir, 'drifted.prisma');
      const schema = await readFile('prisma/schema.prisma', 'utf8');
      await writeFile(drifted, schema.replace(/^model Tenant \{$/m, '$&\n  forgotten Int?'));

      await expect(checkDrift()).resolves.toMatchObject({ exitCode: 0, output: expect.stringContaining('No drift') });
      await expect(checkDrift(drifted)).resolves.toMatchObject({
        exitCode: 2,
        output: expect.stringContaining('Added column `forgotten`'),
      });
    },
    CLI_TIMEOUT_MS,
  );

  it(
    'fails where the migrations cannot be replayed, instead of passing',
    async () => {
      const broken = path.join(workDir, 'broken');
      await cp(MIGRATIONS, broken, { recursive: true });
      await addMigration(broken, '99999999999999_broken', 'SELECT 1/0');

      await expect(checkDrift('prisma/schema.prisma', broken)).resolves.toMatchObject({
        exitCode: 1,
        output: expect.stringContaining('division by zero'),
      });
    },
    CLI_TIMEOUT_MS,
  );
});

async function newDatabase(): Promise<string> {
  const name = `migrate_${randomUUID()}`;
  await query(maintenanceUrl(), `CREATE DATABASE "${name}" TEMPLATE template0`);
  databases.push(name);
  const url = new URL(maintenanceUrl());
  url.pathname = `/${name}`;
  return url.href;
}

async function migrationsDir(migrations: Record<string, string>): Promise<string> {
  const dir = path.join(workDir, randomUUID());
  for (const [name, sql] of Object.entries(migrations)) await addMigration(dir, name, sql);
  return dir;
}

async function addMigration(dir: string, name: string, sql: string): Promise<void> {
  await mkdir(path.join(dir, name), { recursive: true });
  await writeFile(path.join(dir, name, 'migration.sql'), sql);
}

function history(url: string) {
  return query(
    url,
    `SELECT migration_name, finished_at IS NOT NULL AS finished, applied_steps_count, logs
       FROM _prisma_migrations ORDER BY started_at`,
  );
}

async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

function prisma(url: string, ...args: string[]) {
  return run(url, 'node_modules/prisma/build/index.js', ...args);
}

function checkDrift(...args: string[]) {
  return run(maintenanceUrl(), 'prisma/check-drift.mjs', ...args);
}

function run(url: string, script: string, ...args: string[]): Promise<{ exitCode: number | null; output: string }> {
  const env = { ...process.env, DATABASE_URL: url, CHECKPOINT_DISABLE: '1', PRISMA_HIDE_UPDATE_MESSAGE: '1' };
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [script, ...args], { env }, (_error, stdout, stderr) =>
      resolve({ exitCode: child.exitCode, output: stdout + stderr }),
    );
  });
}

function maintenanceUrl(): string {
  const url = process.env['TEST_DATABASE_URL'];
  if (!url) throw new Error('TEST_DATABASE_URL is not set');
  return url;
}
