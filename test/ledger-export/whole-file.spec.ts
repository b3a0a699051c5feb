import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { writeWholeFile } from '../../apps/ledger-export/src/whole-file.js';
import { freshDatabase, type FreshDatabase } from '../support/fresh-database.js';
import { fill, inFolder, makePartition, PROGRAM, runExport } from './months.js';

describe('An export that is cut off', () => {
  let database: FreshDatabase;
  let folder: string;
  let file: ReturnType<typeof inFolder>;

  beforeAll(async () => {
    database = await freshDatabase();
    await makePartition(database, '2024-03');
    await fill(database, '2024-03', 50_000);
  }, 60_000);
  afterAll(() => database.drop());
  beforeEach(async () => {
    folder = await mkdtemp(`${tmpdir()}/countersign-ledger-export-`);
    file = inFolder(folder);
  });
  afterEach(() => rm(folder, { recursive: true }));

  /** Starts an export with --detach and cuts it off when some of it is in its file. */
  async function cutOff(name: string, cut: (pid: number) => unknown) {
    const args = [PROGRAM, '--month', '2024-03', '--output', file(name), '--detach'];
    const child = spawn(process.execPath, args, { env: { DATABASE_URL: database.ownerUrl } });
    let stderr = '';
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    const closed = once(child, 'close');
    while (child.exitCode === null && (await bytesIn(folder)) === 0) await sleep(5);
    await cut(child.pid ?? 0);
    const [exitCode, signal] = (await closed) as [number | null, string | null];
    return { exitCode, signal, stderr };
  }

  async function isAttached(): Promise<boolean> {
    const rows = await database.query(`SELECT FROM pg_class WHERE relname = 'ledger_2024_03' AND relispartition`);
    return rows.length === 1;
  }

  it('by whoever started it leaves nothing, and detaches nothing', async () => {
    const cut = await cutOff('march.ndjson', (pid) => process.kill(pid, 'SIGTERM'));
    expect(cut).toEqual({ exitCode: 1, signal: null, stderr: 'Cut off before it was whole.\n' });
    await expect(readdir(folder)).resolves.toEqual([]);
    await expect(isAttached()).resolves.toBe(true);
  });

  it('by the end of its process leaves no file of that name, and detaches nothing', async () => {
    const cut = await cutOff('march.ndjson.gz', (pid) => process.kill(pid, 'SIGKILL'));
    expect(cut.signal).toBe('SIGKILL');
    await expect(readdir(folder)).resolves.toEqual([
      expect.stringMatching(/^march\.ndjson\.gz\.unfinished-[0-9a-f]{8}$/),
    ]);
    await expect(isAttached()).resolves.toBe(true);
  });

  it('by the database leaves nothing, and says so', async () => {
    const cut = await cutOff('march.ndjson', () =>
      database.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'ledger:export'`),
    );
    expect(cut).toMatchObject({ exitCode: 1, stderr: expect.stringMatching(/terminat|connection/) });
    await expect(readdir(folder)).resolves.toEqual([]);
    await expect(isAttached()).resolves.toBe(true);
  });

  it('does not overwrite a file, and detaches nothing then', async () => {
    await writeFile(file('march.ndjson'), 'last year’s');
    const run = await runExport(database, '--month', '2024-03', '--output', file('march.ndjson'), '--detach');
    expect(run).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('is there already: it is not overwritten'),
    });
    await expect(readFile(file('march.ndjson'), 'utf8')).resolves.toBe('last year’s');
    await expect(isAttached()).resolves.toBe(true);
  });
});

describe('writeWholeFile', () => {
  let folder: string;
  let file: ReturnType<typeof inFolder>;
  beforeEach(async () => {
    folder = await mkdtemp(`${tmpdir()}/countersign-ledger-export-`);
    file = inFolder(folder);
  });
  afterEach(() => rm(folder, { recursive: true }));

  const never = new AbortController().signal;
  const lines = ['{"a":1}', '{"a":2}'];
  // oxlint-disable-next-line require-await
  async function* batches() {
    yield lines;
  }

  it('does not overwrite a file that appeared while it was writing', async () => {
    const appearing = () => writeFile(file('out'), 'somebody else’s');
    await expect(writeWholeFile(file('out'), batches(), appearing, never)).rejects.toThrow('is there already');
    await expect(readdir(folder)).resolves.toEqual(['out']);
    await expect(readFile(file('out'), 'utf8')).resolves.toBe('somebody else’s');
  });

  it('gives no name to a file that lacks rows', async () => {
    const lacking = (rows: number) => Promise.reject(new Error(`${rows} of 3`));
    await expect(writeWholeFile(file('out'), batches(), lacking, never)).rejects.toThrow('2 of 3');
    await expect(readdir(folder)).resolves.toEqual([]);
  });

  it('gives no name to a file whose disk has something else on it', async () => {
    async function* tampered() {
      yield lines;
      while ((await bytesIn(folder)) === 0) await sleep(5);
      const [unfinished = ''] = await readdir(folder);
      await appendFile(file(unfinished), 'x'.repeat(1000));
      yield lines;
    }
    await expect(writeWholeFile(file('out'), tampered(), async () => undefined, never)).rejects.toThrow(
      'was read back and is not what was written',
    );
    await expect(readdir(folder)).resolves.toEqual([]);
  });

  it('writes an empty month as an empty file', async () => {
    // oxlint-disable-next-line require-yield
    async function* none(): AsyncGenerator<string[]> {}
    await expect(writeWholeFile(file('out'), none(), async () => undefined, never)).resolves.toMatchObject({
      rows: 0,
      bytes: 0,
    });
  });
});

async function bytesIn(folder: string): Promise<number> {
  const sizes = await Promise.all((await readdir(folder)).map(async (name) => (await stat(`${folder}/${name}`)).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}
