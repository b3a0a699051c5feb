import { parseArgs } from 'node:util';

export const HELP = `Does all that is due about uploads, once, and says what it did: what came and was never completed is verified, what did not come in
time expires, what was abandoned in parts is aborted at its store, what came late is dealt with, and rows that are old are forgotten.
The API does the same while it runs, unless RECONCILE_UPLOADS=false: then let a job call this every few minutes. Any number of
both may run at once.

  npm run uploads:reconcile -- [--verbose]

  --verbose    one line for each upload: what became of it, its id, tenant, mode, bucket and key
  --help       this text

Environment: the API's, see .env.example.

Exit code: 0 all that was due is done, 1 something was put off because its store did not do what it was asked for, or nothing could be done.
`;

export interface Options {
  isVerbose: boolean;
}

export class UsageError extends Error {}

/** @returns null where only help was asked for. @throws UsageError */
export function readOptions(args: string[]): Options | null {
  const FLAG = { type: 'boolean' } as const;
  try {
    const { values } = parseArgs({
      args,
      options: { verbose: FLAG, help: FLAG },
      strict: true,
      allowPositionals: false,
    });
    return values.help ? null : { isVerbose: values.verbose ?? false };
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}
