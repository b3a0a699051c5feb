import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import pg from 'pg';
import { type Account, answers, Checkout, type Facts, portOf, type Start } from './checkout.js';

/** Each of these starts is a whole installation. */
jest.setTimeout(120_000);

describe('one checkout, from its first start to its last', () => {
  let checkout: Checkout;
  let start: Start;
  let facts: Facts;
  let signingKeys: SigningKey[];
  let rotation: string;
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

  it("README's own lines: the download works, the key is rotated, and the same URL is dead", async () => {
    // Their key is named after the second, and the lines above have used this one.
    await sleep(1_000);
    const said = await paste(`${readmeLines('## The main job')}\n${readmeLines('### Take it back')}`, {}, checkout.dir);
    expect(said.split('"state":"done"')).toEqual([
      expect.stringMatching(/HTTP\/1.1 200 OK[^]*\nHello from Countersign\n/),
      expect.stringMatching(/HTTP\/1.1 403 Forbidden[^]*<Code>InvalidAccessKeyId</),
    ]);
  });

  it('a second one beside it says that one runs, and leaves it alone', async () => {
    const second = checkout.start();
    expect(await second.exitCode).toBe(1);
    expect(second.output).toContain('runs already here');
    expect((await fetch(`${facts.api}/readyz`)).status).toBe(200);
  });

  it('SIGTERM to npm stops everything', async () => {
    await upload(facts, 'kept');
    signingKeys = await listKeys(facts);
    expect(signingKeys.map(({ state }) => state).toSorted()).toEqual(['active', 'deleted']);
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
    expect(await listKeys(facts)).toMatchObject(
      signingKeys.map(({ id, accessKeyId, state }) => ({ id, accessKeyId, state })),
    );
  });

  it('a rotation that waits for URLs is under way when everything stops', async () => {
    const wish = { bucket: 'demo', mode: 'graceful', reason: 'a test' };
    rotation = (await administer<Rotation>(facts, 'POST', '/rotations', wish)).id;
    await until(async () => (await followed(facts, rotation)).state === 'waiting');
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
    expect(await followed(facts, rotation)).toMatchObject({ state: 'waiting', waitingFor: { what: 'urls' } });
    const now = await checkout.processes();
    expect(now).toHaveLength(left.length);
    expect(now.filter((line) => left.includes(line))).toEqual([]);
  });

  it('and goes on after it, to its end', async () => {
    await administer(facts, 'POST', `/rotations/${rotation}/escalation`, { reason: 'the test waits no longer' });
    await until(async () => (await followed(facts, rotation)).state === 'done');
    expect((await listKeys(facts)).map(({ state }) => state).toSorted()).toEqual(['active', 'deleted', 'deleted']);
    expect(await download(facts)).toBe('kept');
  });

  it('where npm is killed, everything stops', async () => {
    start.child.kill('SIGKILL');
    await start.exitCode;
    await checkout.untilEmpty();
  });

  it.each(['storage', 'settings.json'])('where %s was removed, the next start has a key that signs', async (name) => {
    await rm(path.join(checkout.dir, '.countersign', name), { recursive: true });
    // PostgreSQL's password was in there.
    if (name === 'settings.json') await rm(path.join(checkout.dir, '.countersign', 'postgres'), { recursive: true });
    start = await checkout.start().ready();
    facts = await checkout.facts();
    const key = `users/alice/${name}`;
    await upload(facts, 'anew', key);
    expect(await download(facts, key)).toBe('anew');
    expect((await listKeys(facts)).filter(({ state }) => state === 'active')).toHaveLength(1);
    start.interrupt();
    expect(await start.exitCode).toBe(0);
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

  it('another checkout on the same database puts a key of its own in place, even of a rotation under way', async () => {
    // Its encryption key and its store are others: what is in the database cannot be opened.
    const url = new URL(process.env['TEST_DATABASE_URL'] ?? '');
    url.pathname = `/${name}`;
    await query("UPDATE signing_keys SET state = 'retiring'", url.href);
    await query(
      `INSERT INTO rotations (id, tenant_id, bucket_id, mode, reason, requested_by, old_signing_key_id, step, exposure_before)
       SELECT gen_random_uuid(), tenant_id, bucket_id, 'graceful', 'a test', 'admin', id, 'wait-for-urls', '{}' FROM signing_keys`,
      url.href,
    );
    const other = await Checkout.make();
    try {
      const start = await other.start({ DATABASE_URL: url.href }).ready();
      const facts = await other.facts();
      await upload(facts, 'kept');
      expect(await download(facts)).toBe('kept');
      expect((await listKeys(facts)).map(({ state }) => state).toSorted()).toEqual(['active', 'deleted']);
      start.interrupt();
      expect(await start.exitCode).toBe(0);
    } finally {
      await other.remove();
    }
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
  return /Paste this.*\n([^]*?)How to take/.exec(output)?.[1] ?? '';
}

/** Somebody who listens there: we, unless another one does already. */
async function hold(port: number): Promise<net.Server> {
  const holder = net.createServer().listen(port, '127.0.0.1').unref();
  await new Promise((resolve) => holder.once('listening', resolve).once('error', resolve));
  return holder;
}

/** What a shell prints when somebody pastes these lines into it. */
async function paste(lines: string, account: Account = {}, where?: string): Promise<string> {
  const cwd = where ?? (await mkdtemp(path.join(os.tmpdir(), 'countersign-paste-')));
  if (!where) await chmod(cwd, 0o777);
  const { PATH } = process.env;
  const shell = spawn('bash', ['-c', lines], { cwd, env: { PATH }, stdio: ['ignore', 'pipe', 'ignore'], ...account });
  let said = '';
  shell.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
  await once(shell, 'close');
  if (!where) await rm(cwd, { recursive: true });
  return said;
}

/** The lines of README's first shell block below a heading. */
function readmeLines(heading: string): string {
  const [, below = ''] = readFileSync('README.md', 'utf8').split(`\n${heading}\n`);
  return /```sh\n([^]*?)```/.exec(below)?.[1] ?? '';
}

interface SigningKey {
  id: string;
  accessKeyId: string;
  state: string;
}

interface Rotation {
  id: string;
  state: string;
  waitingFor: unknown;
}

async function listKeys(facts: Facts): Promise<SigningKey[]> {
  return (await administer<{ items: SigningKey[] }>(facts, 'GET', '/signing-keys?bucket=demo')).items;
}

const followed = (facts: Facts, id: string): Promise<Rotation> => administer(facts, 'GET', `/rotations/${id}`);

async function administer<T>({ api, tokens }: Facts, method: string, call: string, body?: object): Promise<T> {
  const headers = { authorization: `Bearer ${tokens['admin']}`, 'content-type': 'application/json' };
  const response = await fetch(`${api}${call}`, { method, headers, ...(body && { body: JSON.stringify(body) }) });
  if (!response.ok) throw new Error(await response.text());
  return (await response.json()) as T;
}

async function until(isTrue: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 300; tries++) {
    if (await isTrue()) return;
    await sleep(100);
  }
  throw new Error('It did not happen within 30 seconds.');
}

const KEPT = 'users/alice/kept';

async function upload(facts: Facts, body: string, key = KEPT): Promise<void> {
  const wish = { bucket: 'demo', key, contentType: 'text/plain', contentLength: body.length };
  const { url, headers } = await issue(facts, '/upload-url', wish);
  const response = await fetch(url, { method: 'PUT', headers, body });
  if (!response.ok) throw new Error(await response.text());
}

async function download(facts: Facts, key = KEPT): Promise<string> {
  return (await fetch((await issue(facts, '/download-url', { bucket: 'demo', key })).url)).text();
}

async function issue({ api, tokens }: Facts, call: string, wish: object) {
  const headers = { authorization: `Bearer ${tokens['alice']}`, 'content-type': 'application/json' };
  const response = await fetch(`${api}${call}`, { method: 'POST', headers, body: JSON.stringify(wish) });
  return (await response.json()) as { url: string; headers: Record<string, string> };
}

async function query(text: string, url = process.env['TEST_DATABASE_URL']): Promise<void> {
  const client = new pg.Client({ connectionString: url });
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
