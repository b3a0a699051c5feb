import http from 'node:http';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import request from 'supertest';
import { type BuiltApi, startBuiltApi } from '../support/built-program.js';
import type { FreshDatabase } from '../support/fresh-database.js';
import { createTenant, type Tenant } from '../support/installation.js';
import { type Ask, Crowd, type Heard, send } from './load/crowd.js';
import { DurablePostgres } from './load/durable-postgres.js';
import { issuancesOf, NO_STORE, sizeOf } from './load/issuances.js';
import { environmentOf, platformDatabase } from './load/platform.js';
import { platformToken } from './platform-token.js';
import { proof } from './record.js';
import { scale } from './scale.js';

const stops = proof(
  'A service that is stopped loses no request',
  'SIGTERM to the built service under load, on connections that its clients keep: every request that was sent is answered with what it asked for',
  'the drain taken out of main.ts, so that Node ends connections on which a request is on its way',
);
const waits = proof(
  'A database that is slow, exhausted or silent sheds load, and is taken up again by itself',
  'appends held up under batches of thousands, every connection of PostgreSQL taken, and all of its processes stopped by SIGSTOP, under load',
  'connections without query_timeout: it waits until Jest ends it',
);
const clocks = proof(
  'Nothing is signed, and no token judged, by a clock that is wrong',
  'the service’s clock moved an hour on, and an hour back, under load; tokens that expired half an hour ago',
  'assertClocksAgree taken out of Database.call',
);

const STOPS = scale({ short: 2, full: 20 });
const OUTAGES = scale({ short: 1, full: 5 });
const MOVES = scale({ short: 1, full: 5 });

const HOUR = 3_600;
const CONNECTIONS = 40;

describe('Stopping and waiting', () => {
  let postgres: DurablePostgres;
  let database: FreshDatabase;
  let tenant: Tenant;
  let api: BuiltApi;
  let crowd: Crowd | undefined;

  const start = (env: NodeJS.ProcessEnv = {}): Promise<BuiltApi> =>
    startBuiltApi({ ...environmentOf(database), ...env });

  beforeAll(async () => {
    postgres = await DurablePostgres.start([`max_connections=${CONNECTIONS}`]);
    database = await platformDatabase(postgres.url);
    api = await start();
    tenant = await createTenant(request(api.url), platformToken('operator', 'admin:platform'), NO_STORE);
    await tenant.grant({ subject: { type: 'everyone' }, prefix: 'users/{sub}/' });
  }, 180_000);
  afterAll(async () => {
    await api.kill();
    await postgres.close();
  });
  afterEach(() => crowd?.stop());

  it('SIGTERM: every request that was sent is answered, with what it asked for', async () => {
    let answered = 0;
    const lost: unknown[] = [];
    for (let round = 0; round < STOPS; round++) {
      const stopped = await start();
      const clients = Array.from({ length: 24 }, (_, n) => new KeptConnection(stopped.url, issuancesOf(tenant), n));
      const asking = clients.map((client) => client.askUntilToldToGo());
      while (clients.some(({ answered }) => answered === 0)) await sleep(5);
      await sleep(Math.random() * 100);
      await stopped.stop();
      await Promise.all(asking);
      answered += clients.reduce((sum, client) => sum + client.answered, 0);
      lost.push(...clients.flatMap(({ lost }) => lost));
    }

    expect(lost).toEqual([]);
    stops.record({ cases: STOPS, figure: `0 lost of ${answered.toLocaleString('en')} requests` });
  }, 600_000);

  /** What clients hear that are not answered: that they may ask again, and when. */
  const sheds = new Map<string, number>();
  const hear = ({ status, headers, text }: Heard): void => {
    if (status === 201 || status === 200) return;
    const { code } = JSON.parse(text || '{}') as { code?: string };
    const told = `${status} ${code} ${/^[1-9]\d?$/.test(headers['retry-after'] ?? '')}`;
    sheds.set(told, (sheds.get(told) ?? 0) + 1);
  };
  const SHED = ['503 ledger-unavailable true', '503 overloaded true'];

  it('a slow database: who would wait too long is told at once, and served again as soon as it is quick', async () => {
    for (let round = 0; round < OUTAGES; round++) {
      crowd = new Crowd({ lanes: 40, to: () => api.url, next: hugeBatchesOf(tenant), hear });
      await crowd.hears(1, 200);
      const release = await hold(database.ownerUrl, 'LOCK TABLE ledger IN ACCESS EXCLUSIVE MODE');
      await crowd.hears(100, 503);
      await release();
      await crowd.hears(10, 200);
      await crowd.stop();
    }
    expect([...sheds.keys()].filter((told) => !SHED.includes(told))).toEqual([]);
    expect(sheds.get('503 overloaded true')).toBeGreaterThan(0);
  }, 600_000);

  it('an exhausted database: 503 while there is no connection, and served again once there is', async () => {
    crowd = new Crowd({ lanes: 24, to: () => api.url, next: issuancesOf(tenant), hear });
    for (let round = 0; round < OUTAGES; round++) {
      await crowd.hears(30, 201);
      const hogs = await takeEveryConnection(postgres);
      await crowd.hears(50, 503);
      await Promise.all(hogs.map((hog) => hog.end()));
      await crowd.hears(30, 201);
    }
    await crowd.stop();
    expect([...sheds.keys()].filter((told) => !SHED.includes(told))).toEqual([]);
  }, 600_000);

  it('a silent database: nobody waits for it for ever, and it is taken up again', async () => {
    crowd = new Crowd({ lanes: 24, to: () => api.url, next: issuancesOf(tenant), hear });
    for (let round = 0; round < OUTAGES; round++) {
      await crowd.hears(30, 201);
      const wake = await postgres.freeze();
      try {
        await crowd.hears(1, 503);
      } finally {
        wake();
      }
      await crowd.hears(30, 201);
    }
    await crowd.stop();
    expect([...sheds.keys()].filter((told) => !SHED.includes(told))).toEqual([]);

    const shed = [...sheds.values()].reduce((sum, count) => sum + count, 0);
    const figure = `${3 * OUTAGES} of ${3 * OUTAGES} outages over by themselves; ${shed.toLocaleString('en')} requests told 503 and when to come back, 0 otherwise`;
    waits.record({ cases: shed, figure });
  }, 600_000);

  it('a clock an hour off: 503 for everything that goes by the time, and 201 once it is right again', async () => {
    const movable = {
      NODE_OPTIONS: `--import=${fileURLToPath(new URL('stopping/movable-clock.mjs', import.meta.url))}`,
    };
    let refused = 0;
    for (const seconds of [HOUR, -HOUR]) {
      const moved = await start({ ...movable, CLOCK_SHIFT_SECONDS: String(seconds) });
      const now = Math.floor(Date.now() / 1000);
      const expired = tenant.token('user-1', undefined, { iat: now - HOUR, exp: now - HOUR / 2 });
      const asks = everyKindOf(tenant, expired);
      const statuses = async () => Promise.all(asks.map(async (ask) => (await send(moved.url, ask)).status));
      const ready = async () => (await fetch(`${moved.url}/readyz`)).status;
      try {
        for (let move = 0; move < MOVES; move++) {
          expect([await ready(), await statuses()]).toEqual([200, [201, 201, 200, 200, 201, 401]]);
          await moveClock(moved, ready, 503);
          for (const ask of asks) {
            const { status, headers, text } = await send(moved.url, ask);
            expect([ask.path, status, headers['retry-after']]).toEqual([ask.path, 503, '10']);
            expect(JSON.parse(text)).toMatchObject({
              code: 'ledger-unavailable',
              detail: expect.stringContaining('clock'),
            });
            refused += sizeOf(ask);
          }
          await moveClock(moved, ready, 200);
        }
        // The log is written some lines at a time.
        for (let waited = 0; moved.printed() === '' && waited < 10_000; waited += 50) await sleep(50);
        expect(moved.printed()).toMatch(new RegExp(`our clock is 3\\d\\d\\d s ${seconds < 0 ? 'behind' : 'ahead'}`));
      } finally {
        await moved.kill();
      }
    }
    clocks.record({ cases: refused, figure: `0 of ${refused} signed or let in` });
  }, 300_000);
});

/** A client that has one connection and keeps it, asking again as soon as it was answered, as a proxy does. */
class KeptConnection {
  answered = 0;
  /** What it was sent no whole and good answer to. */
  readonly lost: { path: string; status: number | null; text: string }[] = [];

  constructor(
    private readonly url: string,
    private readonly next: (n: number) => Ask,
    private readonly first: number,
  ) {}

  async askUntilToldToGo(): Promise<void> {
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    for (let n = this.first; ; n++) {
      const ask = this.next(n);
      const { status, headers, text, isWhole, isRefused } = await send(this.url, ask, agent);
      if (isRefused) break;
      if (isWhole && (status === 200 || status === 201)) this.answered++;
      else this.lost.push({ path: ask.path, status, text });
      if (status === null || headers.connection === 'close') break;
    }
    agent.destroy();
  }
}

/** Three of these fill a queue, and nothing is as cheap to ask for. */
function hugeBatchesOf(tenant: Tenant): () => Ask {
  const token = tenant.token('user-0');
  const items = Array.from({ length: 1_000 }, (_, n) => ({ bucket: 'files', key: `users/user-0/${n}` }));
  return () => ({ path: '/download-urls', body: { items }, token });
}

/** One of each issuing call and one of administration; the last one by a token that has expired. */
function everyKindOf(tenant: Tenant, expired: string): Ask[] {
  const item = { bucket: 'files', key: 'users/user-1/a.txt' };
  const upload = { ...item, contentType: 'text/plain', contentLength: 1, overwrite: false };
  const token = tenant.token('user-1');
  const grant = { bucket: 'files', subject: { type: 'user', id: 'user-1' }, prefix: 'more/', actions: ['read'] };
  return [
    { path: '/download-url', body: item, token },
    { path: '/upload-url', body: upload, token },
    { path: '/download-urls', body: { items: [item, item] }, token },
    { path: '/upload-urls', body: { items: [upload, upload] }, token },
    { path: '/grants', body: grant, token: tenant.admin },
    { path: '/download-url', body: item, token: expired },
  ];
}

/** Its clock moves a moment after it was told to. */
async function moveClock(api: BuiltApi, ready: () => Promise<number>, status: number): Promise<void> {
  api.signal('SIGUSR2');
  while ((await ready()) !== status) await sleep(10);
}

/** Does this in a transaction that stays open. Gives its end. */
async function hold(url: string, sql: string): Promise<() => Promise<void>> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(`BEGIN; ${sql}`);
  return () => client.end();
}

/** Also those that the API has now, and as soon as it lets go of one. */
async function takeEveryConnection(postgres: DurablePostgres): Promise<pg.Client[]> {
  const hogs: pg.Client[] = [];
  for (;;) {
    const hog = new pg.Client({ connectionString: postgres.url });
    hog.on('error', () => undefined);
    try {
      await hog.connect();
      hogs.push(hog);
      await hog.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename LIKE '%\\_issuer' ORDER BY random() LIMIT 1`,
      );
    } catch (error) {
      if (hogs.length === 0 || (error as { code?: string }).code !== '53300') throw error;
      const { rows } = await hogs[0]!.query<{ left: number }>(
        `SELECT count(pg_terminate_backend(pid))::integer AS left FROM pg_stat_activity WHERE usename LIKE '%\\_issuer'`,
      );
      if (rows[0]?.left === 0) return hogs;
    }
  }
}
