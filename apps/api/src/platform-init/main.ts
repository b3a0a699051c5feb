import 'reflect-metadata';
import { isUnavailable } from '@countersign/database';
import { HELP, readOptions, UsageError } from './options.js';
import { initPlatform, Refusal } from './init-platform.js';

/** `npm run platform:init`: how a production installation gets its first platform issuer, without which nobody may call POST /issuers. */
async function main(): Promise<void> {
  const options = await readOptions(process.argv.slice(2), process.env);
  if (!options) {
    process.stdout.write(HELP);
    return;
  }
  const url = process.env['DATABASE_OPERATOR_URL'] || process.env['DATABASE_URL'];
  if (!url) throw new UsageError(['DATABASE_OPERATOR_URL, or DATABASE_URL, is missing: which database?']);
  const lines = await initPlatform(url, options);
  process.stdout.write(`${lines.join('\n')}\n`);
}

/** What went wrong, without the database's URL, which holds a password. */
function explain(error: unknown): string {
  if (error instanceof UsageError) return `${error.message}\nSee --help.`;
  if (error instanceof Refusal) return error.message;
  if (isUnavailable(error)) return 'The database does not answer: is its URL right?';
  const { code } = error as { code?: unknown };
  if (code === 'P1000' || code === 'P1010')
    return "The database refuses the login: is its URL's user and password right?";
  if (code === 'P2021' || code === 'P2022') return 'The database lacks a migration: run "npm run db:migrate" first.';
  return error instanceof Error ? error.message.trim() : String(error);
}

main().catch((error: unknown) => {
  process.stderr.write(`${explain(error)}\n`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
});
