import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { type EmbeddedPostgres, startPostgres } from '@countersign/embedded';
import pg from 'pg';

const PASSWORD = randomBytes(12).toString('hex');

/** A PostgreSQL of a proof's own that keeps what it says it has: fsync and synchronous_commit are on. It can be killed, started again, and starved of disk. */
export class DurablePostgres {
  private constructor(
    private readonly dir: string,
    private readonly settings: string[],
    private server: EmbeddedPostgres,
  ) {}

  static async start(settings: string[] = []): Promise<DurablePostgres> {
    const dir = await mkdtemp(path.join(os.tmpdir(), 'countersign-proof-'));
    await chmod(dir, 0o711);
    const postgres = new DurablePostgres(dir, settings, await startPostgres({ dir, password: PASSWORD, settings }));
    const names = ['fsync', 'synchronous_commit', 'full_page_writes'];
    const rows = await postgres.query<{ setting: string }>(
      'SELECT setting FROM pg_settings WHERE name = ANY ($1) AND setting = $2',
      [names, 'on'],
    );
    if (rows.length !== names.length) throw new Error('this PostgreSQL is not durable, and proves nothing');
    return postgres;
  }

  get url(): string {
    return this.server.urlFor('postgres');
  }

  /** On the same data and port, whatever state it was left in. */
  async startAgain(): Promise<void> {
    this.server = await startPostgres({
      dir: this.dir,
      port: this.server.port,
      password: PASSWORD,
      settings: this.settings,
    });
  }

  /** SIGKILL to all its processes at once: nothing is written any more, as when the power goes. */
  async kill(): Promise<void> {
    await this.#connected(async (client) => {
      const postmaster = await this.postmaster();
      // So that it makes no more of them.
      process.kill(postmaster, 'SIGSTOP');
      const children = await pidsOf(client);
      for (const pid of [postmaster, ...children]) signal(pid, 'SIGKILL');
    });
  }

  /** SIGKILL to one of those that serve the issuing calls: PostgreSQL then ends all the others, and recovers by itself. */
  async killBackend(): Promise<void> {
    await this.#connected(async (client) => {
      const [pid] = await pidsOf(client, `usename LIKE '%issuer' ORDER BY random()`);
      if (pid !== undefined) signal(pid, 'SIGKILL');
    });
  }

  /** All its processes stand still: connections stay open, and nobody answers. Gives what lets them go on. */
  async freeze(): Promise<() => void> {
    return this.#connected(async (client) => {
      const pids = [await this.postmaster(), ...(await pidsOf(client, 'pid <> pg_backend_pid()'))];
      for (const pid of pids) signal(pid, 'SIGSTOP');
      return () => {
        for (const pid of pids) signal(pid, 'SIGCONT');
      };
    });
  }

  /**
   * No file can grow beyond this from now on, as on a full disk: PostgreSQL gets EFBIG where it would get ENOSPC, and treats them alike. Needs no
   * privilege, but `prlimit`, which every Linux has. Null: as before.
   */
  async limitFiles(bytes: number | null): Promise<void> {
    // Nobody else's processes can be limited, unless by who may do everything.
    const { uid, gid } = await stat(this.server.dataDir);
    const account = process.getuid?.() === uid ? {} : { uid, gid };
    await this.#connected(async (client) => {
      // Those to come have it from the postmaster.
      for (const pid of [await this.postmaster(), ...(await pidsOf(client))])
        await promisify(execFile)('prlimit', [`--pid=${pid}`, `--fsize=${bytes ?? 'unlimited'}:`], account).catch(
          unlessGone,
        );
    });
  }

  async postmaster(): Promise<number> {
    return Number.parseInt(await readFile(path.join(this.server.dataDir, 'postmaster.pid'), 'utf8'), 10);
  }

  async query<Row extends pg.QueryResultRow>(sql: string, values: unknown[] = [], url = this.url): Promise<Row[]> {
    return this.#connected(async (client) => (await client.query<Row>(sql, values)).rows, url);
  }

  async close(): Promise<void> {
    await this.server.stop();
    await rm(this.dir, { recursive: true, force: true });
    await rm(this.server.dataDir, { recursive: true, force: true });
  }

  async #connected<T>(work: (client: pg.Client) => Promise<T>, connectionString = this.url): Promise<T> {
    const client = new pg.Client({ connectionString });
    // It may be killed with the others.
    client.on('error', () => undefined);
    await client.connect();
    try {
      return await work(client);
    } finally {
      await client.end().catch(() => undefined);
    }
  }
}

async function pidsOf(client: pg.Client, condition = 'true'): Promise<number[]> {
  const { rows } = await client.query<{ pid: number }>(`SELECT pid FROM pg_stat_activity WHERE ${condition}`);
  return rows.map(({ pid }) => pid);
}

/** One that has ended meanwhile needs none. */
function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** A process that has ended meanwhile needs no limit. */
function unlessGone(error: Error): void {
  if (!error.message.includes('No such process')) throw error;
}
