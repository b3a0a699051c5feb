// A PostgreSQL of the benchmark's own, in a directory that goes with it: durable, as production has it.
import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { prepareDatabase } from '../../dist/libs/database/src/index.js';
import { startPostgres } from '../../dist/libs/embedded/src/index.js';

/** Beyond PostgreSQL's defaults. fsync, synchronous_commit and full_page_writes stay on: they are the defaults, and are checked below. */
export const SETTINGS = [];

/** @returns { pid, version, createDatabase } */
export async function startDurablePostgres(cleanup) {
  const dir = await mkdtemp(path.join(os.tmpdir(), 'countersign-bench-'));
  cleanup.add(() => rm(dir, { recursive: true, force: true }));
  await chmod(dir, 0o711);
  const options = { dir: path.join(dir, 'postgres'), password: randomBytes(12).toString('hex'), settings: SETTINGS };
  const postgres = await cleanup.start(
    () => startPostgres(options),
    async (started) => {
      await started.stop();
      if (!started.dataDir.startsWith(dir)) await rm(started.dataDir, { recursive: true, force: true });
    },
  );
  const pid = Number.parseInt(await readFile(path.join(postgres.dataDir, 'postmaster.pid'), 'utf8'), 10);
  return {
    dir,
    pid,
    version: await assertDurable(postgres.urlFor('postgres')),
    createDatabase: (name) => createDatabase(postgres, name),
  };
}

/** A migrated database: the owner's URL, and the API's three. */
async function createDatabase(postgres, name) {
  await query(postgres.urlFor('postgres'), `CREATE DATABASE ${name}`);
  const ownerUrl = postgres.urlFor(name);
  const urlOf = (role) => {
    const url = new URL(ownerUrl);
    return Object.assign(url, { username: `${name}_${role}`, password: randomBytes(12).toString('hex') }).href;
  };
  const urls = { api: urlOf('api'), issuer: urlOf('issuer'), operator: urlOf('operator') };
  await prepareDatabase(ownerUrl, 'prisma/migrations', urls);
  const env = { DATABASE_API_URL: urls.api, DATABASE_ISSUER_URL: urls.issuer, DATABASE_OPERATOR_URL: urls.operator };
  return { ownerUrl, env };
}

export async function query(url, sql, values) {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(sql, values)).rows;
  } finally {
    await client.end();
  }
}

async function assertDurable(url) {
  const names = ['fsync', 'synchronous_commit', 'full_page_writes'];
  const rows = await query(url, 'SELECT name, setting FROM pg_settings WHERE name = ANY ($1)', [names]);
  if (rows.length !== names.length || rows.some(({ setting }) => setting !== 'on'))
    throw new Error('The benchmark wants a durable PostgreSQL: fsync, synchronous_commit and full_page_writes on.');
  return (await query(url, 'SHOW server_version'))[0].server_version;
}
