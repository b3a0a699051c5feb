import pg from 'pg';
import { dropDetached } from './drop-detached.js';
import { exportMonth } from './export-month.js';
import { HELP, type Options, readOptions, UsageError } from './options.js';
import { partitionTable } from './partition-table.js';
import { listPartitions } from './partitions.js';
import { Refusal } from './refusal.js';

/** `npm run ledger:export`: what the database's owner does with old months of the ledger, while the API goes on issuing. */
async function main(signal: AbortSignal): Promise<void> {
  const options = readOptions(process.argv.slice(2));
  if (!options) {
    process.stdout.write(HELP);
    return;
  }
  const connectionString = process.env['DATABASE_URL'];
  if (!connectionString) throw new UsageError(['DATABASE_URL is missing: the postgresql:// URL of the owner.']);
  const client = new pg.Client({ connectionString, application_name: 'ledger:export', keepAlive: true });
  // Whoever waits for an answer hears of a lost connection; without a listener it would end the process before it has cleaned up.
  client.on('error', () => undefined);
  try {
    await client.connect();
    // A large month takes its time, whatever the server's limits for others are.
    await client.query(`SET timezone = 'UTC'; SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0`);
    await run(client, options, signal);
  } finally {
    await client.end();
  }
}

async function run(client: pg.Client, options: Options, signal: AbortSignal): Promise<void> {
  const { stdout, stderr } = process;
  switch (options.task) {
    case 'list':
      stdout.write(partitionTable(await listPartitions(client)));
      return;
    case 'drop':
      await dropDetached(client, options.table);
      stdout.write(`${options.table} is dropped\n`);
      return;
    case 'export': {
      const onProgress = (text: string) => stderr.write(`${text}\n`);
      const onDone = (text: string) => (options.output === '-' ? stderr : stdout).write(`${text}\n`);
      await exportMonth(client, options, { stdout, onProgress, onDone, signal });
      return;
    }
    default:
      options satisfies never;
  }
}

/** What went wrong, without the database's URL, which holds a password. */
function explain(error: unknown): string {
  if (error instanceof UsageError) return `${error.message}\nSee --help.`;
  if (error instanceof Refusal) return error.message;
  const { code, name, message } = error as { code?: string; name?: string; message?: string };
  if (name === 'AbortError') return 'Cut off before it was whole.';
  return EXPLAINED[code ?? ''] ?? (message?.trim() || 'The database does not answer: is DATABASE_URL right?');
}

const EXPLAINED: Record<string, string> = {
  ECONNREFUSED: 'The database does not answer: is DATABASE_URL right?',
  ENOTFOUND: 'The database does not answer: is DATABASE_URL right?',
  '28P01': "The database refuses the login: is DATABASE_URL's user and password right?",
  '28000': "The database refuses the login: is DATABASE_URL's user and password right?",
  '3D000': 'There is no such database: is DATABASE_URL right?',
  '42501': 'Only the owner may do that: is DATABASE_URL the URL that "npm run db:migrate" takes?',
  '42P01': 'The database has no ledger: run "npm run db:migrate" first.',
};

const cut = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => cut.abort());
main(cut.signal).catch((error: unknown) => {
  process.stderr.write(`${explain(error)}\n`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
});
