import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import pg from 'pg';
import { type Account, answers, Checkout, type Facts, portOf, type Start } from './checkout.js';

/** Each of these starts is a whole installation. */
jest.setTimeout(120_000);

describe('one checkout, from its first start to its last', () => {
  let checkout: Checkout;
  let start: Start;
  let facts: Facts;
  beforeAll(async () => {
    checkout = await Checkout.make();
  });
  afterAll(() => checkout.remove());

  it('the first start gets ready, elsewhere than on a port that is taken', async () => {
    const holder = await hold(3000);
    start = await checkout.start().ready();
    holder.close();

    expect(start.output).not.toContain('Warning:');
    facts = await checkout.facts();
    expect(facts).toEqual({
      api: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
      storage: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
      bucket: 'demo',
      tokens: Object.fromEntries(
        ['alice', 'bob', 'admin', 'auditor', 'operator'].map((name) => [name, expect.stringMatching(/^ey/)]),
      ),
    });
    expect(portOf(facts.api)).not.toBe(3000);
    const apiPid = await checkout.pidIn('api.pid');
    expect(await checkout.processes()).toContainEqual(
      expect.stringMatching(new RegExp(`^${apiPid} .*apps/api/src/main`)),
    );
    expect((await fetch(`${facts.api}/readyz`)).status).toBe(200);
  });

  it('the lines that it prints, pasted into a shell, move a file in and out', async () => {
    const said = await paste(linesToPaste(start.output));
    expect(said).toContain('HTTP/1.1 200');
    expect(said.trimEnd().split('\n').at(-1)).toBe('Hello from Countersign');
  });

  it('a second one beside it says that one runs, and leaves it alone', async () => {
    const second = checkout.start();
    expect(await second.exitCode).toBe(1);
    expect(second.output).toContain('runs already here');
    expect((await fetch(`${facts.api}/readyz`)).status).toBe(200);
  });

  it('SIGTERM to npm stops everything', async () => {
    await upload(facts, 'kept');
    start.child.kill('SIGTERM');
    expect(await start.exitCode).toBe(0);
    expect(await checkout.processes()).toEqual([]);
    expect(await answers(facts.api)).toBe(false);
    expect(await answers(facts.storage)).toBe(false);
    expect(existsSync(path.join(checkout.dir, '.countersign', 'api.pid'))).toBe(false);
  });

  it('the next start has the data of the last one, at the same addresses', async () => {
    start = await checkout.start().ready();
    const { api, storage } = facts;
    facts = await checkout.facts();
    expect(facts).toMatchObject({ api, storage });
    expect(await download(facts)).toBe('kept');
  });

  it('where the API is killed, everything else stops and npm says so', async () => {
    process.kill(await checkout.pidIn('api.pid'), 'SIGKILL');
    expect(await start.exitCode).toBe(1);
    expect(start.output).toContain('The API ended (SIGKILL).');
    expect(await checkout.processes()).toEqual([]);
  });

  it('where the launcher is killed, the next start replaces what it left, and has the data', async () => {
    start = await checkout.start().ready();
    const left = await checkout.processes();
    process.kill(await checkout.pidIn('npm-start.json'), 'SIGKILL');
    await start.exitCode;
    start = await checkout.start().ready();
    facts = await checkout.facts();
    expect(await download(facts)).toBe('kept');
    const now = await checkout.processes();
    expect(now).toHaveLength(left.length);
    expect(now.filter((line) => left.includes(line))).toEqual([]);
  });

  it('where npm is killed, everything stops', async () => {
    start.child.kill('SIGKILL');
    await start.exitCode;
    await checkout.untilEmpty();
  });

  it('a PORT that is taken stops the start, with a line that says so', async () => {
    const holder = await hold(0);
    const { port } = holder.address() as net.AddressInfo;
    start = checkout.start({ PORT: String(port) });
    expect(await start.exitCode).toBe(1);
    expect(start.output).toContain(`Port ${port} of 127.0.0.1 is taken`);
    expect(await checkout.processes()).toEqual([]);
    holder.close();
  });
});

describe('a checkout with a database of its own', () => {
  let checkout: Checkout;
  const name = `start_${process.pid}`;
  beforeAll(async () => {
    checkout = await Checkout.make();
    await query(`CREATE DATABASE ${name}`);
  });
  afterAll(async () => {
    await checkout.remove();
    await query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
  });

  it('DATABASE_URL set: that one is used, and no other is started', async () => {
    const url = new URL(process.env['TEST_DATABASE_URL'] ?? '');
    url.pathname = `/${name}`;
    const start = await checkout.start({ DATABASE_URL: url.href }).ready();
    const facts = await checkout.facts();
    await upload(facts, 'kept');
    expect(await download(facts)).toBe('kept');
    expect(existsSync(path.join(checkout.dir, '.countersign', 'postgres'))).toBe(false);
    start.interrupt();
    expect(await start.exitCode).toBe(0);
    expect(await checkout.processes()).toEqual([]);
  });

  it('in production, with nothing set: every missing setting by name, and nothing is started or made', async () => {
    const bare = await Checkout.make();
    const start = bare.start({ NODE_ENV: 'production' });
    expect(await start.exitCode).toBe(1);
    for (const setting of ['DATABASE_API_URL', 'DATABASE_ISSUER_URL', 'DATABASE_OPERATOR_URL', 'ENCRYPTION_KEYS']) {
      expect(start.output).toContain(`${setting} is missing`);
    }
    expect(existsSync(path.join(bare.dir, '.countersign'))).toBe(false);
    await bare.remove();
  });
});

// Who is not root is an ordinary user in everything above.
if (process.getuid?.() === 0) {
  it('an ordinary user starts it too, and Ctrl-C stops everything', async () => {
    const checkout = await Checkout.make(await accountOf('daemon'));
    try {
      const start = await checkout.start().ready();
      expect(await paste(linesToPaste(start.output), await accountOf('daemon'))).toMatch(/\nHello from Countersign\n$/);
      start.interrupt();
      expect(await start.exitCode).toBe(0);
      expect(await checkout.processes()).toEqual([]);
    } finally {
      await checkout.remove();
    }
  });
}

function linesToPaste(output: string): string {
  return /Paste this.*\n([^]*?)Ctrl-C/.exec(output)?.[1] ?? '';
}

/** Somebody who listens there: we, unless another one does already. */
async function hold(port: number): Promise<net.Server> {
  const holder = net.createServer().listen(port, '127.0.0.1').unref();
  await new Promise((resolve) => holder.once('listening', resolve).once('error', resolve));
  return holder;
}

/** What a shell prints when somebody pastes these lines into it. */
async function paste(lines: string, account: Account = {}): Promise<string> {
  const cwd = await mkdtemp(path.join(os.tmpdir(), 'countersign-paste-'));
  await chmod(cwd, 0o777);
  const { PATH } = process.env;
  const shell = spawn('bash', ['-c', lines], { cwd, env: { PATH }, stdio: ['ignore', 'pipe', 'ignore'], ...account });
  let said = '';
  shell.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
  await once(shell, 'close');
  await rm(cwd, { recursive: true });
  return said;
}

const KEPT = { bucket: 'demo', key: 'users/alice/kept' };

async function upload(facts: Facts, body: string): Promise<void> {
  const wish = { ...KEPT, contentType: 'text/plain', contentLength: body.length };
  const { url, headers } = await issue(facts, '/upload-url', wish);
  const response = await fetch(url, { method: 'PUT', headers, body });
  if (!response.ok) throw new Error(await response.text());
}

async function download(facts: Facts): Promise<string> {
  return (await fetch((await issue(facts, '/download-url', KEPT)).url)).text();
}

async function issue({ api, tokens }: Facts, call: string, wish: object) {
  const headers = { authorization: `Bearer ${tokens['alice']}`, 'content-type': 'application/json' };
  const response = await fetch(`${api}${call}`, { method: 'POST', headers, body: JSON.stringify(wish) });
  return (await response.json()) as { url: string; headers: Record<string, string> };
}

async function query(text: string): Promise<void> {
  const client = new pg.Client({ connectionString: process.env['TEST_DATABASE_URL'] });
  await client.connect();
  try {
    await client.query(text);
  } finally {
    await client.end();
  }
}

async function accountOf(name: string): Promise<Account> {
  const line = (await readFile('/etc/passwd', 'utf8')).split('\n').find((each) => each.startsWith(`${name}:`));
  const [uid, gid] = (line ?? '').split(':').slice(2).map(Number);
  return { uid, gid };
}
