import { mkdir, readFile, realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort, isFree } from '../free-port.js';
import { chooseAccount, runAs, type Account } from './account.js';
import { locateBinaries, type Binaries } from './binaries.js';
import { chooseDataDir, ensureCluster, findDataDir } from './data-directory.js';
import { stopRunningServer } from './running-server.js';

export interface PostgresOptions {
  /** Where the data is kept between starts; made when it is missing. */
  dir: string;
  /** Left out: a free one. */
  port?: number;
  /** Of the superuser `postgres`, set when the data is first made; the caller keeps it for the next start. */
  password: string;
  /** Server settings such as `fsync=off`. */
  settings?: string[];
}

export interface EmbeddedPostgres {
  port: number;
  /** Differs from `dir`/data when the server's user cannot go there: tell the user where. */
  dataDir: string;
  /** The superuser's connection string for a database. */
  urlFor(database: string): string;
  /** Rolls back what is open, disconnects everyone and stops. May be called again. */
  stop(): Promise<void>;
}

/**
 * Starts a PostgreSQL server that only this machine can reach and only with the password, and that keeps its data
 * between starts. A server that a crash left on the same data is replaced. It is in a process group of its own, so
 * that Ctrl-C does not stop it before its users have finished.
 */
export async function startPostgres(options: PostgresOptions): Promise<EmbeddedPostgres> {
  await mkdir(options.dir, { recursive: true, mode: 0o711 });
  const dir = await realpath(options.dir);
  const account = await chooseAccount(await findDataDir(dir));
  const dataDir = await chooseDataDir(dir, account);
  refuseShellCharacters(dataDir);
  const binaries = await locateBinaries(account);

  const settings = options.settings ?? [];
  await ensureCluster(binaries, account, dataDir, {
    password: options.password,
    isDurable: !settings.includes('fsync=off'),
  });
  await stopRunningServer(binaries, account, dataDir);
  const port = await listen(binaries, account, dataDir, settings, options.port);

  let stopping: Promise<void> | undefined;
  return {
    port,
    dataDir,
    urlFor: (database) =>
      `postgresql://postgres:${encodeURIComponent(options.password)}@127.0.0.1:${port}/${encodeURIComponent(database)}`,
    stop: () => (stopping ??= stopRunningServer(binaries, account, dataDir)),
  };
}

/** What the server says when the last one was killed and its children are about to notice. */
const NOT_YET = /shared memory block .* is still in use/;
const PORT_TAKEN = /Address already in use/;

async function listen(
  binaries: Binaries,
  account: Account,
  dataDir: string,
  settings: string[],
  wantedPort: number | undefined,
): Promise<number> {
  if (wantedPort !== undefined && !(await isFree(wantedPort))) throw portTaken(wantedPort);
  for (let attempt = 1; ; attempt++) {
    const port = wantedPort ?? (await freePort());
    const failure = await tryStart(binaries, account, dataDir, [
      `port=${port}`,
      'listen_addresses=127.0.0.1',
      'unix_socket_directories=',
      ...settings,
    ]);
    if (failure === undefined) return port;
    if (PORT_TAKEN.test(failure) && wantedPort !== undefined) throw portTaken(wantedPort);
    if (attempt === 5 || !(NOT_YET.test(failure) || PORT_TAKEN.test(failure))) {
      throw new Error(`PostgreSQL did not start on ${dataDir}. Its log ends:\n${failure}`);
    }
    await sleep(500);
  }
}

/** Gives the end of the log when the server does not start. */
async function tryStart(
  { pg_ctl }: Binaries,
  account: Account,
  dataDir: string,
  settings: string[],
): Promise<string | undefined> {
  const log = path.join(dataDir, 'server.log');
  const alreadyWritten = (await stat(log).catch(() => undefined))?.size ?? 0;
  const flags = settings.map((setting) => `-c ${quote(setting)}`).join(' ');
  const start = ['-D', dataDir, '-w', '-t', '60', '-l', log, '-o', flags, 'start'];
  const { code, output } = await runAs(account, pg_ctl, start);
  if (code === 0) return undefined;
  const written = (await readFile(log).catch(() => Buffer.alloc(0))).subarray(alreadyWritten).toString();
  return [output, ...written.trimEnd().split('\n').slice(-15)].join('\n');
}

/** pg_ctl hands the flags to a shell. */
function quote(word: string): string {
  return process.platform === 'win32' ? `"${word}"` : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** pg_ctl puts the path between double quotes in a shell command, as it is. */
function refuseShellCharacters(dataDir: string): void {
  if (process.platform !== 'win32' && /["$`\\\n]/.test(dataDir)) {
    throw new Error(`PostgreSQL cannot keep its data in ${dataDir}: choose a path without quotes, $, \` or \\.`);
  }
}

function portTaken(port: number): Error {
  return new Error(`Port ${port} of 127.0.0.1 is taken: stop what listens there, or choose another port.`);
}
