import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readOptions, UsageError } from '../../apps/ledger-export/src/options.js';
import { runBuilt } from '../support/built-program.js';
import { freshDatabase, type FreshDatabase } from '../support/fresh-database.js';
import { fill, makePartition, PROGRAM, runExport } from './months.js';

describe('ledger:export', () => {
  let database: FreshDatabase;
  beforeAll(async () => {
    database = await freshDatabase();
  });
  afterAll(() => database.drop());

  it('without options lists the partitions, with their ranges, rows and sizes', async () => {
    await makePartition(database, '2024-12');
    await fill(database, '2024-12', 1234);
    await database.query('ANALYZE ledger_2024_12');

    const { exitCode, stdout } = await runExport(database);

    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^partition +state +from +to +rows +size\n/);
    expect(stdout).toMatch(/^ledger_2024_12 +attached +2024-12-01 +2025-01-01 +~1234 +\d+\.\d kB$/m);
    expect(stdout).toMatch(/^ledger_default +default +all other +~0 /m);
    await expect(runExport(database, '--list')).resolves.toMatchObject({ stdout });
  });

  it('names every option that is wrong', () => {
    const faultsOf = (args: string) => {
      try {
        readOptions(args.split(' '));
        return [];
      } catch (error) {
        if (error instanceof UsageError) return error.faults;
        throw error;
      }
    };
    expect(faultsOf('--month 2024-13 --drop')).toEqual([
      '--drop needs --detach, or --detached <table>',
      '--output is missing',
      '--month must be like 2026-03',
    ]);
    expect(faultsOf('--month 2024-3 --output x')).toEqual(['--month must be like 2026-03']);
    expect(faultsOf('--output x')).toEqual(['--month is missing']);
    expect(faultsOf('--list --month 2024-03 --output x')).toEqual(['--list stands alone']);
    expect(faultsOf('--month 2024-03 --output - --detach')).toEqual([
      '--detach needs a file as --output: standard output cannot be read back',
    ]);
    expect(faultsOf('--drop')).toEqual(['--drop needs --detach, or --detached <table>']);
    expect(faultsOf('--detached ledger_2024_03')).toEqual(['--detached is for --drop']);
    // Attack, or a slip: a table of ours that is no month.
    expect(faultsOf('--drop --detached grants')).toEqual(['--detached must be like ledger_2026_03']);
    expect(faultsOf('--drop --detached ledger_2024_03 --month 2024-03 --output x')).toEqual([
      '--detached is for --drop alone, without --month, --output and --detach',
    ]);
    expect(faultsOf('--month 2024-03 --output x --patience 5')).toEqual(['--patience is for --detach']);
    expect(faultsOf('--month 2024-03 --output x --detach --patience long')).toEqual([
      '--patience must be a number of seconds, 0 to 99999',
    ]);
    expect(faultsOf('--moth 2024-03')).toEqual([expect.stringContaining("'--moth'")]);
  });

  it('explains a database that is not there, refuses the login, is not the owner’s, has no ledger, or was not named', async () => {
    const failing = async (url: string, ...args: string[]) => {
      const { exitCode, stdout, stderr } = await runBuilt(PROGRAM, args, { DATABASE_URL: url });
      expect(stdout).toBe('');
      if (url) expect(stderr).not.toContain(new URL(url).password);
      return [exitCode, stderr.trimEnd()];
    };
    const url = (change: Partial<URL>) => Object.assign(new URL(database.ownerUrl), change).href;

    await expect(failing(url({ port: '1' }))).resolves.toEqual([
      1,
      'The database does not answer: is DATABASE_URL right?',
    ]);
    await expect(failing(url({ password: 'not-the-password' }))).resolves.toEqual([
      1,
      "The database refuses the login: is DATABASE_URL's user and password right?",
    ]);
    await expect(failing(url({ pathname: '/nowhere' }))).resolves.toEqual([
      1,
      'There is no such database: is DATABASE_URL right?',
    ]);
    await expect(failing(url({ pathname: '/postgres' }))).resolves.toEqual([
      1,
      'The database has no ledger: run "npm run db:migrate" first.',
    ]);
    await makePartition(database, '2024-11');
    const asApi = [database.env.DATABASE_API_URL, '--month', '2024-11', '--output', 'never.ndjson'] as const;
    await expect(failing(...asApi)).resolves.toEqual([
      1,
      'Only the owner may do that: is DATABASE_URL the URL that "npm run db:migrate" takes?',
    ]);
    await expect(failing('')).resolves.toEqual([
      2,
      'DATABASE_URL is missing: the postgresql:// URL of the owner.\nSee --help.',
    ]);
  });

  it('explains itself', async () => {
    const { exitCode, stdout } = await runBuilt(PROGRAM, ['--help'], {});
    expect(exitCode).toBe(0);
    expect(stdout).toContain('npm run ledger:export -- --month 2026-03 --output ledger-2026-03.ndjson.gz');
  });
});
