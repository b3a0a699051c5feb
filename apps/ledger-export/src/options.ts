import { parseArgs } from 'node:util';
import { readMonth, type Month } from './month.js';

export const HELP = `Lists the ledger's partitions, writes a month of the ledger to a file, and takes old months out of the database.

  npm run ledger:export                                              the partitions, with their sizes
  npm run ledger:export -- --month 2026-03 --output ledger-2026-03.ndjson.gz
  npm run ledger:export -- --month 2026-03 --output ledger-2026-03.ndjson.gz --detach [--drop]
  npm run ledger:export -- --drop --detached ledger_2026_03

  --list                   the partitions, their ranges, rows (PostgreSQL's estimate) and sizes; also without any option
  --month <YYYY-MM>        the month, in UTC, attached, detached or within ledger_default
  --output <file>          where to; it must not be there yet. ".gz" at its end: compressed. "-": standard output, and then run
                           node dist/apps/ledger-export/src/main.js in place of npm, which prints lines of its own
  --detach                 once the file is whole and was read back: take the month's partition out of the ledger. Issuing goes on
                           meanwhile. Not the current month, and none of which URLs are still alive
  --drop                   with --detach: drop the table as well, when its rows are in the file
  --detached <table>       with --drop: drop this table, which was detached earlier, without another export
  --patience <seconds>     with --detach: how long to try for a moment in which nobody else holds the ledger; 60 by default
  --help                   this text

The file has one JSON object a line, oldest first, with the fields of GET /audit-events and "tenantId". It appears under its name when
it is whole, and not before.

Environment:
  DATABASE_URL             the database's owner

Exit code: 0 done, 1 it could not be done, 2 the options are wrong.
`;

/** What was asked for. */
export type Options = { task: 'list' } | ExportOptions | { task: 'drop'; table: string };

export interface ExportOptions {
  task: 'export';
  month: Month;
  /** A file's path, or `-`. */
  output: string;
  isDetached: boolean;
  isDropped: boolean;
  patienceSeconds: number;
}

/** The options are wrong: one line for each fault, naming the option. */
export class UsageError extends Error {
  constructor(readonly faults: readonly string[]) {
    super(faults.join('\n'));
  }
}

/** @returns null where only help was asked for. @throws UsageError with all that is wrong at once. */
export function readOptions(args: string[]): Options | null {
  const given = parse(args);
  if (given.help) return null;
  const { list = false, month, output, detach = false, drop = false, detached, patience } = given;
  const faults: string[] = [];
  const refuse = (isWrong: boolean, fault: string) => isWrong && faults.push(fault);

  const isExport = month !== undefined || output !== undefined || detach;
  refuse(list && (isExport || drop || detached !== undefined), '--list stands alone');
  refuse(detached !== undefined && isExport, '--detached is for --drop alone, without --month, --output and --detach');
  refuse(detached !== undefined && !drop, '--detached is for --drop');
  refuse(detached !== undefined && !/^ledger_\d{4}_\d{2}$/.test(detached), '--detached must be like ledger_2026_03');
  refuse(drop && !detach && detached === undefined, '--drop needs --detach, or --detached <table>');
  refuse(isExport && month === undefined, '--month is missing');
  refuse(isExport && output === undefined, '--output is missing');
  refuse(output === '', '--output must be a file, or "-"');
  refuse(output === '-' && detach, '--detach needs a file as --output: standard output cannot be read back');
  refuse(patience !== undefined && !detach, '--patience is for --detach');
  refuse(patience !== undefined && !/^\d{1,5}$/.test(patience), '--patience must be a number of seconds, 0 to 99999');
  const read = month === undefined ? null : readMonth(month);
  refuse(month !== undefined && !read, '--month must be like 2026-03');
  if (faults.length > 0) throw new UsageError(faults);

  if (detached !== undefined) return { task: 'drop', table: detached };
  if (!read || output === undefined) return { task: 'list' };
  const patienceSeconds = Number(patience ?? 60);
  return { task: 'export', month: read, output, isDetached: detach, isDropped: drop, patienceSeconds };
}

const TEXT = { type: 'string' } as const;
const FLAG = { type: 'boolean' } as const;

function parse(args: string[]) {
  const options = {
    list: FLAG,
    month: TEXT,
    output: TEXT,
    detach: FLAG,
    drop: FLAG,
    detached: TEXT,
    patience: TEXT,
    help: FLAG,
  };
  try {
    return parseArgs({ args, options, strict: true, allowPositionals: false }).values;
  } catch (error) {
    throw new UsageError([(error as Error).message]);
  }
}
