import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { freePort, startPostgres, type EmbeddedPostgres, type PostgresOptions } from '@countersign/embedded';
import { Client } from 'pg';

const FAST = { password: "it's a pass@word", settings: ['fsync=off'] };
const isRoot = process.getuid?.() === 0;

let home: string;
let dir: string;
beforeAll(async () => {
  home = await mkdtemp(path.join(os.tmpdir(), 'countersign-pg-'));
  await chmod(home, 0o711);
  dir = path.join(home, 'postgres');
});
afterAll(() => rm(home, { recursive: true, force: true }));

/** Whatever a test leaves is stopped, so that one failure is not the next one's cause. */
const started: EmbeddedPostgres[] = [];
afterEach(async () => {
  for (const server of started.splice(0)) await server.stop();
});

async function start(options: PostgresOptions): Promise<EmbeddedPostgres> {
  const server = await startPostgres(options);
  started.push(server);
  return server;
}

async function query(url: string, text: string): Promise<Record<string, unknown>[]> {
  const client = new Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query(text)).rows as Record<string, unknown>[];
  } finally {
    await client.end();
  }
}

async function pidOf({ dataDir }: EmbeddedPostgres): Promise<number> {
  return Number.parseInt(await readFile(path.join(dataDir, 'postmaster.pid'), 'utf8'), 10);
}

async function accountOf(name: string): Promise<{ uid: number; gid: number }> {
  const line = (await readFile('/etc/passwd', 'utf8')).split('\n').find((each) => each.startsWith(`${name}:`));
  const [, , uid, gid] = line!.split(':').map(Number);
  return { uid: uid!, gid: gid! };
}

describe('one data directory, from its first start to its last', () => {
  test('the first start makes it; only the password opens it, and only from this machine', async () => {
    // Attack: another local user connects as superuser, and row-level security is nothing.
    const server = await start({ dir, ...FAST, settings: ['fsync=off', `cluster_name=it's; $HOME`] });
    expect(server.dataDir).toBe(path.join(dir, 'data'));
    await query(server.urlFor('postgres'), 'CREATE TABLE kept AS SELECT 42 AS answer');
    const noPassword = new URL(server.urlFor('postgres'));
    noPassword.password = '';
    await expect(query(noPassword.href, 'SELECT 1')).rejects.toThrow(/password/);
    noPassword.password = 'guess';
    await expect(query(noPassword.href, 'SELECT 1')).rejects.toThrow(/password authentication failed/);
    const [settings] = await query(
      server.urlFor('postgres'),
      `SELECT current_setting('listen_addresses') a, current_setting('unix_socket_directories') b, current_setting('cluster_name') c`,
    );
    expect(settings).toEqual({ a: '127.0.0.1', b: '', c: `it's; $HOME` });
    expect((await stat(server.dataDir)).mode & 0o077).toBe(0);
    expect(await readdir(dir)).toEqual(['data']);
    await server.stop();
    await server.stop();
  });

  test('the next start finds the data, on the port that it is given', async () => {
    const port = await freePort();
    const began = Date.now();
    const server = await start({ dir, port, ...FAST });
    expect(Date.now() - began).toBeLessThan(2_000);
    expect(server.port).toBe(port);
    expect(await query(server.urlFor('postgres'), 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
    await server.stop();
    await expect(query(server.urlFor('postgres'), 'SELECT 1')).rejects.toThrow(/ECONNREFUSED/);
  });

  test('a server that a crashed process left is replaced, be it on the same port', async () => {
    const left = await start({ dir, ...FAST });
    const leftPid = await pidOf(left);
    const server = await start({ dir, port: left.port, ...FAST });
    expect(await pidOf(server)).not.toBe(leftPid);
    expect(await query(server.urlFor('postgres'), 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
    await server.stop();
  });

  test('a killed server is no obstacle, while its children still notice', async () => {
    const killed = await start({ dir, ...FAST });
    await query(killed.urlFor('postgres'), 'UPDATE kept SET answer = 43');
    process.kill(await pidOf(killed), 'SIGKILL');
    const server = await start({ dir, ...FAST });
    expect(await query(server.urlFor('postgres'), 'SELECT answer FROM kept')).toEqual([{ answer: 43 }]);
    await server.stop();
  });

  test('a stale pid file never has another program signalled, nor keeps the server from starting', async () => {
    // Attack: none, but after a reboot the number is often some other process of the same user.
    const account = isRoot ? { uid: 65534, gid: 65534 } : {};
    const innocent = spawn('/bin/sleep', ['60'], { ...account, cwd: '/', stdio: 'ignore' });
    let ended = false;
    innocent.once('exit', () => (ended = true));
    await writeFile(path.join(dir, 'data', 'postmaster.pid'), `${innocent.pid}\n${dir}/data\n1700000000\n5432\n\n\n`, {
      mode: 0o666,
    });
    try {
      const server = await start({ dir, ...FAST });
      await server.stop();
      expect(ended).toBe(false);
    } finally {
      innocent.kill();
    }
  });

  test('a port that is taken is a plain error', async () => {
    const holder = net.createServer().listen(0, '127.0.0.1');
    await once(holder, 'listening');
    const { port } = holder.address() as net.AddressInfo;
    await expect(start({ dir, port, ...FAST })).rejects.toThrow(`Port ${port} of 127.0.0.1 is taken`);
    expect(await freePort(port)).not.toBe(port);
    holder.close();
  });

  test('a setting that the server does not know is an error with the end of its log', async () => {
    const settings = [...FAST.settings, 'no_such_setting=1; touch x'];
    await expect(start({ dir, ...FAST, settings })).rejects.toThrow(/unrecognized configuration parameter/);
  });
});

test('a first start that was cut short is begun again', async () => {
  const half = path.join(home, 'half');
  await mkdir(path.join(half, 'data.unfinished'), { recursive: true });
  await writeFile(path.join(half, 'data.unfinished', 'PG_VERSION'), '18\n');
  await writeFile(path.join(half, 'data.password'), 'left behind');
  const server = await start({ dir: half, ...FAST });
  expect(await query(server.urlFor('postgres'), 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  await server.stop();
  expect(await readdir(half)).toEqual(['data']);
});

const asRoot = isRoot ? test : test.skip;

asRoot('root, in a home that the server cannot enter: the data lies elsewhere, and is found again', async () => {
  const closed = await mkdtemp(path.join(home, 'closed-'));
  const first = await start({ dir: closed, ...FAST });
  try {
    expect(first.dataDir.startsWith(closed)).toBe(false);
    await query(first.urlFor('postgres'), 'CREATE TABLE kept AS SELECT 1 AS one');
    await first.stop();
    const second = await start({ dir: closed, ...FAST });
    expect(second.dataDir).toBe(first.dataDir);
    expect(await query(second.urlFor('postgres'), 'SELECT one FROM kept')).toEqual([{ one: 1 }]);
    await second.stop();
  } finally {
    await rm(path.dirname(first.dataDir), { recursive: true, force: true });
  }
});

asRoot('root never uses a place that another user prepared', async () => {
  // Attack: /var/tmp is writable by all, and the place's name can be known.
  const closed = await mkdtemp(path.join(home, 'closed-'));
  const first = await start({ dir: closed, ...FAST });
  await first.stop();
  const place = path.dirname(first.dataDir);
  try {
    await chmod(place, 0o777);
    await expect(start({ dir: closed, ...FAST })).rejects.toThrow(`${place} belongs to somebody else`);
  } finally {
    await rm(place, { recursive: true, force: true });
  }
});

asRoot('an ordinary user runs the server as themselves', async () => {
  const own = await mkdtemp(path.join(home, 'own-'));
  await chmod(own, 0o777);
  const lib = fileURLToPath(new URL('../../dist/libs/embedded/src/index.js', import.meta.url));
  const script = `const { startPostgres } = await import(${JSON.stringify(lib)});
    const server = await startPostgres({ dir: ${JSON.stringify(path.join(own, 'pg'))}, password: 'p' });
    console.log(server.urlFor('postgres'));
    process.stdin.once('data', () => server.stop().then(() => process.exit()));`;
  const account = await accountOf('daemon'); // initdb wants one that has a name
  const user = spawn(process.execPath, ['--input-type=module', '-e', script], {
    ...account,
    cwd: '/',
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const [url] = (await Promise.race([once(user.stdout, 'data'), once(user, 'exit')])) as [Buffer];
  expect(await query(url.toString().trim(), 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  expect((await stat(path.join(own, 'pg', 'data'))).uid).toBe(account.uid);
  user.stdin.write('stop');
  const [code] = (await once(user, 'exit')) as [number];
  expect(code).toBe(0);
});
