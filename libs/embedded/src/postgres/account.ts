import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { stat } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';

/** The operating system's user who runs the server; undefined: the one we are. */
export type Account = { uid: number; gid: number } | undefined;

const NOBODY: Account = { uid: 65534, gid: 65534 };

/**
 * Chooses who runs the server: ourselves, or, as PostgreSQL refuses to run as root, the owner of the data
 * that is there already, or else nobody.
 */
export async function chooseAccount(dataDir: string): Promise<Account> {
  const owner = await stat(dataDir).catch(() => undefined);
  const self = process.getuid?.();
  if (self !== 0) {
    if (!owner || self === undefined || owner.uid === self) return undefined;
    throw new Error(`${dataDir} belongs to user ${owner.uid}: run as that user or as root, or remove it.`);
  }
  return owner && owner.uid !== 0 ? { uid: owner.uid, gid: owner.gid } : NOBODY;
}

/** Runs a program as that account and gives its exit code and output; rejects when it cannot be started at all. */
export async function runAs(
  account: Account,
  command: string,
  args: string[],
): Promise<{ code: number; output: string }> {
  const child = spawn(command, args, {
    ...account,
    cwd: path.parse(os.tmpdir()).root,
    env: bareEnvironment(),
    stdio: ['ignore', 'ignore', 'pipe'],
    windowsHide: true,
  });
  let output = '';
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code: code ?? 1, output: output.trim() };
}

/** Tells whether the account can enter the directory and write there, which only that account can find out. */
export async function canWrite(account: Account, directory: string): Promise<boolean> {
  if (!account) return true;
  const { code } = await runAs(account, '/bin/sh', ['-c', 'cd "$1" && test -w .', 'sh', directory]);
  return code === 0;
}

/** PG* variables of the developer's shell (PGPORT, PGDATA, PGOPTIONS) must not steer this server. */
function bareEnvironment(): NodeJS.ProcessEnv {
  const { PATH, SystemRoot, TEMP } = process.env;
  return { PATH, LC_ALL: 'C', ...(SystemRoot && { SystemRoot }), ...(TEMP && { TEMP }) };
}
