import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, readdir, readFile, realpath, rm, symlink, utimes, chmod } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** What a checkout does not have, or what would be too much to copy. */
const LEFT_OUT = new Set(['.git', '.countersign', 'coverage', 'node_modules']);

export interface Facts {
  api: string;
  storage: string;
  bucket: string;
  tokens: Record<string, string>;
}

/** A copy of this checkout, in which `npm start` finds nothing but what a clean clone has, already built. */
export class Checkout {
  readonly #starts: Start[] = [];

  private constructor(
    readonly dir: string,
    private readonly account: Account,
  ) {}

  /** @param account whose it is, and who starts it; this process's own where it is left out. */
  static async make(account: Account = {}): Promise<Checkout> {
    const dir = await realpath(await mkdtemp(path.join(os.tmpdir(), 'countersign-start-')));
    await chmod(dir, 0o711);
    for (const name of await readdir(ROOT)) {
      if (!LEFT_OUT.has(name)) await cp(path.join(ROOT, name), path.join(dir, name), { recursive: true });
    }
    // Surely newer than the copied sources: nothing is to be built.
    const soon = new Date(Date.now() + 60_000);
    await utimes(path.join(dir, 'dist', '.built'), soon, soon);
    const checkout = new Checkout(dir, account);
    await checkout.#bringModules();
    return checkout;
  }

  /** `npm start`, as from a shell; with no variable of this process's but what it needs to run. */
  start(env: NodeJS.ProcessEnv = {}): Start {
    const { PATH, TMPDIR } = process.env;
    const child = spawn('npm', ['start'], {
      cwd: this.dir,
      env: { PATH, ...(TMPDIR && { TMPDIR }), HOME: this.dir, npm_config_update_notifier: 'false', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      // A process group, as a shell makes it for each command: Ctrl-C reaches all of it.
      detached: true,
      ...this.account,
    });
    const start = new Start(child);
    this.#starts.push(start);
    return start;
  }

  async facts(): Promise<Facts> {
    return JSON.parse(await this.read('demo.json')) as Facts;
  }

  read(name: string): Promise<string> {
    return readFile(path.join(this.dir, '.countersign', name), 'utf8');
  }

  /** The process that an earlier line of a file names. */
  async pidIn(name: string): Promise<number> {
    return Number(/\d+/.exec(await this.read(name))?.[0]);
  }

  /** The processes that the last start left or still has, but for npm itself: PostgreSQL, the store, the API. */
  async processes(): Promise<string[]> {
    return (await commandLines()).filter((line) => line.includes(`${this.dir}/`));
  }

  /** Resolves once none is left. */
  async untilEmpty(): Promise<void> {
    for (let tries = 0; tries < 100; tries++) {
      if ((await this.processes()).length === 0) return;
      await sleep(50);
    }
    throw new Error(`These are still there: ${(await this.processes()).join('\n')}`);
  }

  async remove(): Promise<void> {
    for (const start of this.#starts) start.kill();
    for (const line of await this.processes()) killQuietly(Number.parseInt(line, 10));
    await rm(this.dir, { recursive: true, force: true });
  }

  async #bringModules(): Promise<void> {
    const [from, to] = [path.join(ROOT, 'node_modules'), path.join(this.dir, 'node_modules')];
    if (this.account.uid === undefined) return symlink(from, to);
    await run('chown', ['-R', `${this.account.uid}:${this.account.gid}`, this.dir]);
    const isReadable = await run('test', ['-r', path.join(from, 'pg', 'package.json')], this.account);
    if (isReadable) return symlink(from, to);
    // Links where they are possible, since these are half a gigabyte.
    if (await run('cp', ['-al', from, to])) return;
    await rm(to, { recursive: true, force: true });
    await run('cp', ['-a', from, to]);
  }
}

export type Account = { uid?: number; gid?: number };

/** One `npm start`. */
export class Start {
  output = '';
  readonly exitCode: Promise<number | null>;

  constructor(readonly child: ChildProcess) {
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (chunk: Buffer) => (this.output += chunk.toString()));
    this.exitCode = once(child, 'close').then(([code]) => code as number | null);
  }

  /** Resolves once the screen says so. */
  async ready(): Promise<this> {
    const ended = this.exitCode.then(() => true);
    for (let tries = 0; tries < 2000; tries++) {
      if (this.output.includes('Ctrl-C stops everything')) return this;
      if (await Promise.race([ended, sleep(50).then(() => false)])) break;
    }
    throw new Error(`"npm start" did not get ready. It said:\n${this.output}`);
  }

  /** What Ctrl-C does: the signal reaches npm, the shell and the launcher at once. */
  interrupt(): void {
    process.kill(-this.child.pid!, 'SIGINT');
  }

  kill(): void {
    killQuietly(-this.child.pid!);
  }
}

/** The port that an address names. */
export const portOf = (url: string): number => Number(new URL(url).port);

/** Whether anybody answers there. */
export const answers = (url: string): Promise<boolean> =>
  fetch(url).then(
    () => true,
    () => false,
  );

function killQuietly(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended.
  }
}

async function run(command: string, args: string[], account: Account = {}): Promise<boolean> {
  const child = spawn(command, args, { stdio: 'ignore', cwd: '/', ...account });
  const [code] = (await once(child, 'close')) as [number | null];
  return code === 0;
}

/** `PID COMMAND…` of every process of this machine. */
async function commandLines(): Promise<string[]> {
  if (process.platform !== 'linux') {
    const child = spawn('ps', ['-ax', '-ww', '-o', 'pid=,command=']);
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    await once(child, 'close');
    return output.split('\n').map((line) => line.trim());
  }
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const lineOf = async (pid: string) => {
    const words = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    return `${pid} ${words.replaceAll('\0', ' ')}`;
  };
  return Promise.all(pids.map(lineOf));
}
