import { execFile } from 'node:child_process';
import { readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { runAs, type Account } from './account.js';
import type { Binaries } from './binaries.js';

/**
 * Stops the server of this data directory, if one runs, as a crash may have left it; open transactions are
 * rolled back. Nothing but a server of this very directory is ever signalled.
 */
export async function stopRunningServer({ pg_ctl }: Binaries, account: Account, dataDir: string): Promise<void> {
  const pidFile = path.join(dataDir, 'postmaster.pid');
  const pid = Number.parseInt(await readFile(pidFile, 'utf8').catch(() => ''), 10);
  if (!pid) return;

  // After a reboot the number may belong to any program of the same user: `pg_ctl stop` would signal that one. And
  // the server refuses to start while anything has that number, be it a zombie that the container's init leaves.
  // Without the file it still sees the shared memory of children that a killed server left, and waits for them.
  const command = await commandLine(pid);
  if (!command?.includes('postgres') || !command.includes(dataDir)) return rm(pidFile, { force: true });

  const { code, output } = await runAs(account, pg_ctl, ['-D', dataDir, '-m', 'fast', '-w', '-t', '60', 'stop']);
  if (code !== 0 && (await commandLine(pid))) {
    throw new Error(`The PostgreSQL server ${pid} on ${dataDir} does not stop: ${output}`);
  }
}

/** The command line of a live process, or nothing. */
async function commandLine(pid: number): Promise<string | undefined> {
  if (process.platform === 'linux') {
    const words = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    return words.replaceAll('\0', ' ').trim() || undefined;
  }
  const [program, ...args]: [string, ...string[]] =
    process.platform === 'win32'
      ? [
          'powershell',
          '-NoProfile',
          '-Command',
          `(Get-CimInstance Win32_Process -Filter "ProcessId=${pid}").CommandLine`,
        ]
      : ['ps', '-ww', '-o', 'command=', '-p', String(pid)];
  const { stdout } = await promisify(execFile)(program, args).catch(() => ({ stdout: '' }));
  return stdout.trim() || undefined;
}
