import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { runBuilt } from '../support/built-program.js';
import { freshDatabase, type FreshDatabase } from '../support/fresh-database.js';
import { install } from '../support/installation.js';
import { expectedLines, fill, inFolder, makePartition, parseLines, PROGRAM, runExport } from './months.js';

describe('ledger:export --month', () => {
  let database: FreshDatabase;
  let folder: string;
  let file: ReturnType<typeof inFolder>;

  beforeAll(async () => {
    folder = await mkdtemp(`${tmpdir()}/countersign-ledger-export-`);
    file = inFolder(folder);
    database = await freshDatabase();
    await makePartition(database, '2024-03');
    await fill(database, '2024-03', 50_000);
  }, 60_000);
  afterAll(async () => {
    await database.drop();
    await rm(folder, { recursive: true });
  });

  it('gives the month row for row, oldest first, and says how many rows, bytes and which SHA-256', async () => {
    const plain = await runExport(database, '--month', '2024-03', '--output', file('march.ndjson'));
    const zipped = await runExport(database, '--month', '2024-03', '--output', file('march.ndjson.gz'));

    const content = await readFile(file('march.ndjson'));
    const lines = parseLines(content.toString());
    const expected = await expectedLines(database, 'ledger_2024_03');
    expect(lines).toHaveLength(50_000);
    // One by one: a difference is then readable.
    for (const [n, line] of lines.entries()) if (!isSame(line, expected[n])) expect(line).toEqual(expected[n]);
    expect(gunzipSync(await readFile(file('march.ndjson.gz'))).equals(content)).toBe(true);
    for (const [run, name] of [
      [plain, 'march.ndjson'],
      [zipped, 'march.ndjson.gz'],
    ] as const) {
      const bytes = await readFile(file(name));
      const sha256 = createHash('sha256').update(bytes).digest('hex');
      expect(run).toMatchObject({
        exitCode: 0,
        stdout: `2024-03 of ledger_2024_03: 50000 rows, ${bytes.length} bytes, sha256 ${sha256}\n`,
      });
      expect((await stat(file(name))).mode & 0o077).toBe(0);
    }
    expect((await readdir(folder)).sort()).toEqual(['march.ndjson', 'march.ndjson.gz']);
  }, 120_000);

  it('gives a number of details as it is stored, where a double would lose digits', async () => {
    await makePartition(database, '2024-04');
    await database.query(
      `INSERT INTO ledger (at, id, tenant_id, subject, action, decision, request_id, details)
       VALUES ('2024-04-30 23:59:59.999Z', gen_random_uuid(), gen_random_uuid(), 's', 'a', 'granted', 'r', '{"n": 12345678901234567890.10}')`,
    );
    const { exitCode, stdout } = await runExport(database, '--month', '2024-04', '--output', '-');
    expect(exitCode).toBe(0);
    expect(stdout).toContain('"at":"2024-04-30T23:59:59.999Z"');
    expect(stdout).toContain('{"n": 12345678901234567890.10}');
  });

  it('has the fields that GET /audit-events has, with the same values, and the tenant', async () => {
    const installation = await install();
    try {
      const tenant = await installation.createTenant();
      await tenant.grant({ subject: { type: 'everyone' }, prefix: 'exported/' });
      const wish = { bucket: 'files', key: 'exported/zażółć.png', contentType: 'image/png', contentLength: 5 };
      for (const [key, status] of [
        ['exported/zażółć.png', 201],
        ['elsewhere/x.png', 403],
      ] as const) {
        const asAlice = installation.api.post('/upload-url').auth(tenant.token('alice'), { type: 'bearer' });
        await asAlice.send({ ...wish, key }).expect(status);
      }
      const events = await tenant.events();
      expect(events.slice(0, 2)).toMatchObject([{ decision: 'refused' }, { decision: 'granted' }]);

      const month = new Date().toISOString().slice(0, 7);
      const ownerUrl = process.env['TEST_OWNER_URL'] ?? '';
      const { exitCode, stdout } = await runExport({ ownerUrl }, '--month', month, '--output', '-');

      expect(exitCode).toBe(0);
      const ids = new Set(events.map(({ id }) => id));
      const lines = parseLines(stdout).filter(({ id }) => ids.has(id));
      expect(lines.map(({ tenantId: _, ...line }) => line).toReversed()).toEqual(events);
      expect([...new Set(lines.map(({ tenantId }) => tenantId))]).toEqual([expect.stringMatching(/^[0-9a-f-]{36}$/)]);
    } finally {
      await installation.close();
    }
  });

  it('finds a month without a partition in the default one, and takes no row of another month from there', async () => {
    await database.query(
      `INSERT INTO ledger (at, id, tenant_id, subject, action, decision, request_id)
       SELECT at, gen_random_uuid(), gen_random_uuid(), 's', 'a', 'granted', 'r'
         FROM unnest('{2023-04-30 23:59:59.999Z, 2023-05-01 00:00Z, 2023-05-31 23:59:59.999Z, 2023-06-01 00:00Z}'::timestamptz[]) AS at`,
    );
    const { stdout, stderr } = await runExport(database, '--month', '2023-05', '--output', '-');
    expect(parseLines(stdout).map(({ at }) => at)).toEqual(['2023-05-01T00:00:00.000Z', '2023-05-31T23:59:59.999Z']);
    expect(stderr).toMatch(/^2023-05 of ledger_default: 2 rows, \d+ bytes, sha256 [0-9a-f]{64}\n$/);
  });

  it('says that there is nothing of a month of which there is nothing', async () => {
    await expect(runExport(database, '--month', '2022-01', '--output', file('none'))).resolves.toEqual({
      exitCode: 1,
      stdout: '',
      stderr: expect.stringMatching(
        /^The ledger has no partition of 2022-01, and no row of it\. Its months: ledger_2024_03, /,
      ),
    });
  });

  it('needs no more memory for a hundred times the rows', async () => {
    await makePartition(database, '2024-06');
    await makePartition(database, '2024-07');
    await fill(database, '2024-06', 1_200);
    await fill(database, '2024-07', 120_000);
    const tellPeak = `process.on('exit',()=>process.stderr.write('peak='+process.resourceUsage().maxRSS))`;
    const env = { DATABASE_URL: database.ownerUrl, NODE_OPTIONS: `--import=data:text/javascript,${tellPeak}` };
    const peakMegabytes = async (month: string) => {
      const { exitCode, stderr } = await runBuilt(PROGRAM, ['--month', month, '--output', file(`${month}.gz`)], env);
      expect(exitCode).toBe(0);
      return Number(/peak=(\d+)/.exec(stderr)?.[1]) / 1024;
    };
    const few = await peakMegabytes('2024-06');
    const many = await peakMegabytes('2024-07');
    // The rows are some 80 MB, and held all at once they took 540.
    expect(many - few).toBeLessThan(150);
  }, 240_000);
});

const isSame = (a: unknown, b: unknown) => JSON.stringify(sorted(a)) === JSON.stringify(sorted(b));

const sorted = (row: unknown) => Object.entries(row ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
