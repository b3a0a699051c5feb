import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { endUnreadAnswers } from '../../apps/api/src/http/unread-answers.js';
import { type BuiltApi, startBuiltApi } from '../support/built-program.js';
import { install, type Installation, type Tenant } from '../support/installation.js';
import { QuickClient } from './limits/quick.js';
import { figuresOf, highestWhile } from './limits/process.js';
import { crowd, slowClient, type SlowClient } from './limits/slow.js';
import { proof } from './record.js';
import { scale } from './scale.js';

const served = proof(
  'No crowd of slow clients takes the service from a quick one: each wait has an end, and connections and memory have a bound',
  'hundreds that say nothing, a header or a byte of a body a second, that keep a connection without a request, that read no answer; floods of several times as many connections as are taken, each with a body that does not end',
  'no maxConnections; headersTimeout 0; keepAliveTimeout and requestTimeout of minutes; endUnreadAnswers() that ends nothing',
);

/** Of each kind. */
const CROWD = scale({ short: 100, full: 400 });
/** Bodies have 30 s, and an answer that nobody reads 60. */
const IS_FULL = scale({ short: false, full: true });
const MAX_CONNECTIONS = scale({ short: 600, full: 2_500 });
const KEEP_ALIVE_SECONDS = 3;
const SLOW_BODIES = 'with a byte of a body a second';
/** A machine may be ten times slower than any that this was written on. */
const MARGIN_MS = 60_000;

describe('While clients are slow', () => {
  let installation: Installation;
  let tenant: Tenant;
  let api: BuiltApi;
  let port: number;
  const figures: string[] = [];
  let cases = 0;

  beforeAll(async () => {
    installation = await install();
    tenant = await installation.createTenant();
    await tenant.grant({ subject: { type: 'everyone' }, prefix: '' });
    api = await startBuiltApi({
      ...process.env,
      NODE_ENV: 'test',
      LOG_LEVEL: 'info',
      RECONCILE_UPLOADS: 'false',
      MAX_CONNECTIONS: String(MAX_CONNECTIONS),
      KEEP_ALIVE_SECONDS: String(KEEP_ALIVE_SECONDS),
    });
    port = Number(new URL(api.url).port);
  }, 120_000);
  const opened: SlowClient[] = [];
  const many = async (count: number, make: () => SlowClient) => {
    const clients = await crowd(count, make);
    opened.push(...clients);
    return clients;
  };

  afterAll(async () => {
    for (const client of opened) client.destroy();
    await api.stop();
    await installation.close();
  }, 60_000);
  afterAll(() => served.record({ cases, figure: figures.join('; ') }));

  const quickClient = () => new QuickClient(api.url, tenant.token('alice'));

  const HEAD = `POST /download-url HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n`;
  const kinds: Record<string, { make: () => SlowClient; leastMs: number; isLong?: boolean; hears?: string }> = {
    [SLOW_BODIES]: {
      make: () => slowClient(port, `${HEAD}Content-Length: 1000\r\n\r\n`, '{'.padEnd(1_000)),
      leastMs: 30_000,
      isLong: true,
      hears: 'in time',
    },
    'that say nothing': { make: () => slowClient(port, ''), leastMs: 10_000, hears: 'in time' },
    'with a letter of a header a second': {
      make: () => slowClient(port, `${HEAD}Any: `, 'a'.repeat(1_000)),
      leastMs: 10_000,
      hears: 'in time',
    },
    'that keep a connection behind an answer': {
      make: () => slowClient(port, 'GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n'),
      leastMs: KEEP_ALIVE_SECONDS * 1_000,
      hears: '200 OK',
    },
    'that read none of many answers': {
      make: () =>
        slowClient(port, 'GET /openapi.json HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(60), '\r\n'.repeat(200), {
          isDeaf: true,
        }),
      leastMs: 60_000,
      isLong: true,
    },
  };

  const leastMsOf = (name: string) => kinds[name]?.leastMs ?? 0;

  it('a quick one is served all the time, and each of them is cut off in its time', async () => {
    // Attack: slowloris and its kin. No token is needed for any of it.
    const quick = quickClient();
    quick.start();
    const all: { name: string; clients: SlowClient[] }[] = [];
    const { highest } = await highestWhile(
      api.pid,
      (async () => {
        for (const [name, { make }] of Object.entries(kinds)) all.push({ name, clients: await many(CROWD, make) });
        const bodies = all.find(({ name }) => name === SLOW_BODIES)?.clients ?? [];
        for (const { name, clients } of all.toSorted((one, other) => leastMsOf(one.name) - leastMsOf(other.name))) {
          const { leastMs, isLong, hears } = kinds[name] ?? { leastMs: 0 };
          if (isLong && !IS_FULL) continue;
          const late = new Promise<string>((resolve) => setTimeout(resolve, leastMs + MARGIN_MS, 'late').unref());
          const lives = await Promise.race([Promise.all(clients.map(({ closed }) => closed)), late]);
          expect([name, lives]).not.toEqual([name, 'late']);
          // Nor is one that is only a little slow cut off before its time.
          expect(Math.min(...(lives as number[]))).toBeGreaterThan(leastMs * 0.8);
          // Headers have less time than a whole request has: these began before.
          if (leastMs < 30_000) expect(bodies.filter((client) => !client.isOpen())).toHaveLength(0);
          if (hears !== undefined) expect(clients.filter((client) => !client.answer().includes(hears))).toHaveLength(0);
          cases += clients.length;
          figures.push(`${clients.length} ${name}: all over after ${seconds(Math.max(...(lives as number[])))}`);
        }
      })(),
    );
    await quick.stop();
    for (const { clients } of all) for (const client of clients) client.destroy();
    expect(quick.statuses.filter((status) => status !== 201)).toEqual([]);
    expect(quick.statuses.length).toBeGreaterThan(20);
    // It was not let in again and again: one connection did.
    expect(quick.connections).toBe(1);
    expect(highest.rssBytes).toBeLessThan(600e6);
    figures.push(`${quick.statuses.length} of ${quick.statuses.length} answered to the quick one`);
  }, 300_000);

  it('an answer that is not read ends its connection, though its client goes on sending', async () => {
    // Attack: what a timeout of Node's counts as life. The same as of the built program, in less time.
    const server = http.createServer((_request, response) => response.end(Buffer.alloc(20_000_000)));
    endUnreadAnswers(server, { afterMs: 1_000, everyMs: 100 });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port: ofServer } = server.address() as AddressInfo;
    const get = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
    const deaf = slowClient(ofServer, get, '\r\n'.repeat(100), { isDeaf: true });
    await expect(deaf.closed).resolves.toBeGreaterThan(900);
    const hearing = slowClient(ofServer, get.replace('Host', 'Connection: close\r\nHost'));
    await hearing.closed;
    expect(hearing.answer()).toContain('200 OK');
    server.close();
    cases++;
  }, 60_000);

  it('connections and what they hold have a bound: who is here is served, and who comes too late is told at once', async () => {
    // Attack: memory and file descriptors, without a token. Each body is one byte short of its end.
    const before = figuresOf(api.pid);
    const quick = quickClient();
    quick.start();
    while (!quick.statuses.includes(201)) await new Promise((resolve) => setTimeout(resolve, 20));
    const flood = `${HEAD}Content-Length: 65536\r\n\r\n${' '.repeat(65_535)}`;
    const count = MAX_CONNECTIONS * 3;
    const { value: clients, highest } = await highestWhile(
      api.pid,
      crowd(count, () => slowClient(port, flood)),
    );
    const isLate = await Promise.race([
      // All that there is no room for are closed without waiting for anything.
      until(() => clients.filter((client) => client.isOpen()).length < MAX_CONNECTIONS),
      new Promise<boolean>((resolve) => setTimeout(resolve, MARGIN_MS, false).unref()),
    ]);
    expect(isLate).toBe(true);
    const open = clients.filter((client) => client.isOpen()).length;
    expect(open).toBeGreaterThan(0);
    await expect(quickClient().ask()).rejects.toThrow(/socket hang up|ECONNRESET/);
    await quick.stop();
    expect(quick.statuses.filter((status) => status !== 201)).toEqual([]);
    expect(quick.connections).toBe(1);
    if (before) {
      expect(highest.descriptors - before.descriptors).toBeLessThanOrEqual(MAX_CONNECTIONS + 50);
      // Each has its body, in a buffer of twice that at worst, and its connection.
      expect(highest.rssBytes - before.rssBytes).toBeLessThan(150e6 + MAX_CONNECTIONS * 250_000);
      figures.push(
        `${count} connections against ${MAX_CONNECTIONS}: ${megabytes(before.rssBytes)} grew to ${megabytes(highest.rssBytes)}`,
      );
    }
    cases += count;
    for (const client of clients) client.destroy();
    // And afterwards it is as before.
    await until(() =>
      quickClient()
        .ask()
        .then(
          (status) => status === 201,
          () => false,
        ),
    );
    await until(() => api.printed().includes('"msg":"connections refused"'));
  }, 180_000);
});

async function until(isSo: () => boolean | Promise<boolean>): Promise<boolean> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 50));
  return true;
}

const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;
const megabytes = (bytes: number) => `${Math.round(bytes / 1e6)} MB`;
