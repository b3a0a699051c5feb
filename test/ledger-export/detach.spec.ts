import { randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { prepareDatabase } from '@countersign/database';
import pg from 'pg';
import { beginHolding } from '../../apps/ledger-export/src/hold.js';
import { readMonth } from '../../apps/ledger-export/src/month.js';
import { findMonth } from '../../apps/ledger-export/src/partitions.js';
import { freshDatabase, type FreshDatabase } from '../support/fresh-database.js';
import { expectedLines, fill, inFolder, makePartition, parseLines, runExport } from './months.js';

let database: FreshDatabase;
let folder: string;
let file: ReturnType<typeof inFolder>;
const clients: pg.Client[] = [];

beforeAll(async () => {
  database = await freshDatabase();
});
afterAll(() => database.drop());
beforeEach(async () => {
  folder = await mkdtemp(`${tmpdir()}/countersign-ledger-export-`);
  file = inFolder(folder);
});
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.end()));
  await rm(folder, { recursive: true });
  for (const { name } of await database.query<{ name: string }>(OLD_TABLES)) await database.query(`DROP TABLE ${name}`);
  await database.query('DELETE FROM ledger');
});

const OLD_TABLES = `SELECT relname AS name FROM pg_class WHERE relkind = 'r' AND relname ~ '^ledger_20(19|24)_'`;

const detach = (month: string, ...more: string[]) =>
  runExport(database, '--month', month, '--output', file(`${month}.ndjson`), '--detach', ...more);

async function connect(url = database.ownerUrl): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  clients.push(client);
  await client.connect();
  return client;
}

const statesOf = async () => {
  const { stdout } = await runExport(database);
  return Object.fromEntries([...stdout.matchAll(/^(ledger_\w+) +(\w+)/gm)].map(([, name, state]) => [name, state]));
};

const countOf = async (table: string) =>
  (await database.query<{ n: number }>(`SELECT count(*)::int AS n FROM ${table}`))[0]?.n;

describe('ledger:export --detach', () => {
  it('takes an exported month out of the ledger, and leaves its table to the owner alone', async () => {
    await makePartition(database, '2024-03');
    await makePartition(database, '2024-04');
    await fill(database, '2024-03', 1000);
    await fill(database, '2024-04', 10);
    // Attack: rights that somebody once gave on the partition would let the API change the evidence.
    await database.query('GRANT ALL ON ledger_2024_03 TO PUBLIC, countersign_api, countersign_operator');

    const { exitCode, stdout } = await detach('2024-03');

    expect([exitCode, stdout.split('\n')[1]]).toEqual([
      0,
      'ledger_2024_03 is detached: it is no part of the ledger any more',
    ]);
    expect([await countOf('ledger'), await countOf('ledger_2024_03')]).toEqual([10, 1000]);
    const lines = parseLines(await readFile(file('2024-03.ndjson'), 'utf8'));
    expect(lines).toEqual(await expectedLines(database, 'ledger_2024_03'));
    await expect(statesOf()).resolves.toMatchObject({ ledger_2024_03: 'detached', ledger_2024_04: 'attached' });
    for (const url of Object.values(database.env)) {
      const client = await connect(url);
      for (const sql of ['SELECT FROM ledger_2024_03', 'DELETE FROM ledger_2024_03', 'DROP TABLE ledger_2024_03'])
        await expect(client.query(sql)).rejects.toMatchObject({ code: '42501' });
    }
  });

  it('can be exported again afterwards, and what comes late of that month is kept in the default partition', async () => {
    await makePartition(database, '2024-03');
    await fill(database, '2024-03', 20);
    await detach('2024-03');

    await expect(database.query('SELECT * FROM create_ledger_partitions(3)')).resolves.toEqual([]);
    await fill(database, '2024-03', 2);
    await expect(countOf('ledger_default')).resolves.toBe(2);
    const again = await runExport(database, '--month', '2024-03', '--output', file('again'), '--detach');
    expect(again.stdout).toMatch(/: 20 rows, .+\nledger_2024_03 is already detached/);
    await expect(readFile(file('again'))).resolves.toEqual(await readFile(file('2024-03.ndjson')));
  });

  it('can be exported again by a newer version, whose ledger has columns that the month never had', async () => {
    await makePartition(database, '2024-03');
    await fill(database, '2024-03', 20);
    await detach('2024-03');
    await database.query('ALTER TABLE ledger_2024_03 DROP COLUMN url_count, DROP COLUMN stable_urls');
    const { exitCode } = await runExport(database, '--month', '2024-03', '--output', file('older'));
    expect(exitCode).toBe(0);
    const lines = parseLines(await readFile(file('older'), 'utf8'));
    const expected = await expectedLines(database, 'ledger_2024_03');
    expect(lines).toEqual(expected.map((line) => ({ ...line, urlCount: null, stableUrls: [] })));
  });

  it('keeps the current month and the next ones, and holds no lock on them', async () => {
    for (const months of [0, 1]) {
      const date = new Date();
      date.setUTCDate(15);
      date.setUTCMonth(date.getUTCMonth() + months);
      const month = date.toISOString().slice(0, 7);
      const reader = await connect();
      // With this lock on the month's partition nobody can have another one that would stop an append.
      await reader.query(`BEGIN; LOCK TABLE ONLY ledger_${month.replace('-', '_')} IN ROW EXCLUSIVE MODE`);

      const { exitCode, stderr } = await detach(month);

      expect([exitCode, stderr]).toEqual([
        1,
        `${month} has not been over for a day: its partition stays. Nothing was exported.\n`,
      ]);
      await expect(statesOf()).resolves.toMatchObject({ [`ledger_${month.replace('-', '_')}`]: 'attached' });
    }
  });

  it('keeps a month as long as one of its URLs is alive: a revocation must count it', async () => {
    await makePartition(database, '2024-03');
    await fill(database, '2024-03', 20);
    await database.query(
      `UPDATE ledger SET expires_at = now() + interval '1 hour' WHERE id = (SELECT id FROM ledger LIMIT 1)`,
    );
    const { exitCode, stderr } = await detach('2024-03');
    expect([exitCode, stderr]).toEqual([
      1,
      expect.stringMatching(
        /^Of 2024-03, 1 issued URLs are alive, the last one until .+Z: their record stays until then/,
      ),
    ]);
    await expect(statesOf()).resolves.toMatchObject({ ledger_2024_03: 'attached' });
  });

  it('keeps the default partition', async () => {
    await fill(database, '2019-02', 5);
    await expect(detach('2019-02')).resolves.toMatchObject({
      exitCode: 1,
      stderr: '2019-02 has no partition of its own: its rows are in ledger_default, which stays.\n',
    });
  });

  it('lets nobody add a row to a month that is being exported, and lets everybody read it', async () => {
    const month = readMonth('2024-03');
    if (!month) throw new Error('not a month');
    await makePartition(database, '2024-03');
    await fill(database, '2024-03', 5);
    const [exporting, other] = [await connect(), await connect()];
    await exporting.query(`SET timezone = 'UTC'`);
    await beginHolding(exporting, await findMonth(exporting, month), month);

    await other.query(`SET lock_timeout = '20ms'`);
    const late = `INSERT INTO ledger (at, id, tenant_id, subject, action, decision, request_id)
      VALUES ('2024-03-05Z', gen_random_uuid(), gen_random_uuid(), 's', 'a', 'granted', 'r')`;
    await expect(other.query(late)).rejects.toMatchObject({ code: '55P03' });
    await expect(other.query('SELECT FROM ledger')).resolves.toMatchObject({ rowCount: 5 });
    await expect(other.query(late.replace(`'2024-03-05Z'`, 'now()'))).resolves.toMatchObject({ rowCount: 1 });
  });

  it('works as an owner who is no superuser', async () => {
    const name = `owner_${randomUUID().replaceAll('-', '')}`;
    const url = new URL(database.ownerUrl);
    await database.query(`CREATE ROLE ${name} LOGIN CREATEROLE PASSWORD 'owner'`);
    await database.query(`CREATE DATABASE ${name} OWNER ${name}`);
    const ownerUrl = Object.assign(url, { username: name, password: 'owner', pathname: `/${name}` }).href;
    try {
      await prepareDatabase(ownerUrl, 'prisma/migrations', {});
      const own = {
        ...database,
        ownerUrl,
        query: async <Row extends pg.QueryResultRow>(sql: string, values?: unknown[]) => {
          const client = await connect(ownerUrl);
          return (await client.query<Row>(sql, values)).rows;
        },
      };
      await makePartition(own, '2024-03');
      await fill(own, '2024-03', 10);
      const args = ['--month', '2024-03', '--output', file('out'), '--detach', '--drop'];
      await expect(runExport(own, ...args)).resolves.toMatchObject({ exitCode: 0, stderr: '' });
    } finally {
      await Promise.all(clients.splice(0).map((client) => client.end()));
      await database.query(`DROP DATABASE ${name} WITH (FORCE)`);
      await database.query(`DROP ROLE ${name}`);
    }
  });
});

describe('Issuing, while a month is detached', () => {
  /** Appends as the API does, on several connections, until it is told to stop; gives how many rows it appended. */
  async function appendUntil(stop: AbortSignal): Promise<number> {
    const tenantId = randomUUID();
    const one = (n: number) => ({
      n,
      id: randomUUID(),
      tenantId,
      subject: 's',
      action: 'download-url',
      decision: 'refused',
      requestId: 'r',
    });
    const work = async () => {
      const issuer = await connect(database.env.DATABASE_ISSUER_URL);
      let appended = 0;
      while (!stop.aborted) {
        const entries = JSON.stringify([one(0), one(1)]);
        appended += (await issuer.query('SELECT n FROM append_to_ledger($1::jsonb)', [entries])).rows.length;
      }
      return appended;
    };
    const counts = await Promise.all(Array.from({ length: 8 }, work));
    return counts.reduce((sum, count) => sum + count, 0);
  }

  it('loses no append and fails none', async () => {
    const months = ['2024-01', '2024-02', '2024-03', '2024-04'];
    for (const month of months) {
      await makePartition(database, month);
      await fill(database, month, 500);
    }
    const stop = new AbortController();
    const appending = appendUntil(stop.signal);

    for (const month of months) await expect(detach(month)).resolves.toMatchObject({ exitCode: 0, stderr: '' });

    stop.abort();
    const appended = await appending;
    expect(appended).toBeGreaterThan(0);
    await expect(countOf('ledger')).resolves.toBe(appended);
  });

  it('goes on although somebody holds the ledger and the month cannot go: it waits for the attempt and not for them', async () => {
    // Without a lock_timeout every append would queue behind the attempt, and the attempt behind this reader, for as long as they read.
    await makePartition(database, '2024-03');
    await fill(database, '2024-03', 500);
    const reader = await connect();
    await reader.query(`SET application_name = 'a long report'; BEGIN; SELECT FROM ledger LIMIT 1`);
    const stop = new AbortController();
    const appending = appendUntil(stop.signal);

    const detaching = detach('2024-03', '--patience', '2');
    const issuer = await connect(database.env.DATABASE_ISSUER_URL);
    await untilQueued(reader);
    // The reader is still there: who comes after the attempt comes through.
    const entry = {
      n: 0,
      id: randomUUID(),
      tenantId: randomUUID(),
      subject: 's',
      action: 'a',
      decision: 'refused',
      requestId: 'late',
    };
    await issuer.query('SELECT append_to_ledger($1::jsonb)', [JSON.stringify([entry])]);

    const { exitCode, stderr } = await detaching;
    stop.abort();
    await expect(appending).resolves.toBeGreaterThan(0);
    expect([exitCode, stderr]).toEqual([
      1,
      expect.stringMatching(
        /^ledger_2024_03 is not detached: in 2 s there was .+ \(process \d+ of the database server, a long report, idle in transaction, for \d+ s\)\. The file is whole and stays\./,
      ),
    ]);
    await expect(statesOf()).resolves.toMatchObject({ ledger_2024_03: 'attached' });
    expect(parseLines(await readFile(file('2024-03.ndjson'), 'utf8'))).toHaveLength(500);
  });

  /** Until the attempt waits for the whole ledger. */
  async function untilQueued(client: pg.Client): Promise<void> {
    const sql = `SELECT FROM pg_locks WHERE relation = 'ledger'::regclass AND mode = 'AccessExclusiveLock' AND NOT granted`;
    while ((await client.query(sql)).rowCount === 0) await sleep(2);
  }
});

describe('ledger:export --drop', () => {
  it('drops what was exported and detached in the same run', async () => {
    await makePartition(database, '2024-03');
    await fill(database, '2024-03', 100);
    const { stdout } = await detach('2024-03', '--drop');
    expect(stdout).toMatch(/: 100 rows, .+\n.+ is detached.+\nledger_2024_03 is dropped\n$/);
    await expect(statesOf()).resolves.not.toHaveProperty('ledger_2024_03');
    await expect(database.query('SELECT * FROM create_ledger_partitions(3)')).resolves.toEqual([]);
  });

  it('drops by its name what was detached earlier, and never a partition', async () => {
    await makePartition(database, '2024-03');
    await fill(database, '2024-03', 100);
    const drop = () => runExport(database, '--drop', '--detached', 'ledger_2024_03');

    await expect(drop()).resolves.toMatchObject({
      exitCode: 1,
      stderr: 'ledger_2024_03 is a partition of the ledger: it is dropped only once it is exported and detached.\n',
    });
    await expect(countOf('ledger')).resolves.toBe(100);
    await detach('2024-03');
    await expect(drop()).resolves.toMatchObject({ exitCode: 0, stdout: 'ledger_2024_03 is dropped\n' });
    await expect(drop()).resolves.toMatchObject({ exitCode: 1, stderr: 'There is no table ledger_2024_03.\n' });
  });
});
