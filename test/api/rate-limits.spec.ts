import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import request from 'supertest';
import { type BuiltApi, startBuiltApi } from '../support/built-program.js';
import { install, type Installation, type Tenant } from '../support/installation.js';
import { itemsOf, statementsOf } from './batches.js';
import { callsBy } from './calls.js';

/** What a user and a tenant get back in a second; ten times as much they have at once. */
const [PER_SUBJECT, PER_TENANT] = [2, 5];
const [OF_SUBJECT, OF_TENANT] = [10 * PER_SUBJECT, 10 * PER_TENANT];

describe('The rate limits', () => {
  let installation: Installation;
  let replica: BuiltApi;
  let tenant: Tenant;
  let n = 0;

  beforeAll(async () => {
    const env = { RATE_LIMIT_PER_SUBJECT: String(PER_SUBJECT), RATE_LIMIT_PER_TENANT: String(PER_TENANT) };
    // Another replica is another process.
    const ofReplica = { ...process.env, NODE_ENV: 'test', RECONCILE_UPLOADS: 'false', ...env };
    [installation, replica] = await Promise.all([install(env), startBuiltApi(ofReplica)]);
  }, 120_000);
  afterAll(() => Promise.all([installation.close(), replica.stop()]));

  beforeEach(async () => {
    tenant = await installation.createTenant();
    await tenant.grant({ subject: { type: 'everyone' }, prefix: 'users/{sub}/' });
  });

  /** Someone who has asked for nothing yet. */
  const newcomer = () => {
    const sub = `user-${n++}`;
    const item = { bucket: tenant.bucket, key: `users/${sub}/a.txt` };
    const token = tenant.token(sub);
    const by = (at: number) => callsBy(at === 0 ? installation.api : request(replica.url), token);
    return {
      ask: (at = 0) => by(at).post('/download-url', item),
      askAll: (count: number) => by(0).post('/download-urls', { items: Array.from({ length: count }, () => item) }),
      get: (path: string) => by(0).get(path),
    };
  };

  /** What came back since, at most: a slow machine must not turn a test red. */
  const stopwatch = (perSecond: number) => {
    const begunAt = performance.now();
    return () => Math.ceil(((performance.now() - begunAt) / 1000) * perSecond);
  };

  const leftAfter = ({ headers }: { headers: Record<string, string> }) => Number(headers['ratelimit-remaining']);
  const detailOf = ({ body }: { body: unknown }) => (body as { detail: string }).detail;

  it('a subject gets what it has, and is told at each answer what is left', async () => {
    const returned = stopwatch(PER_SUBJECT);
    const user = newcomer();
    let served = 0;
    let answer = await user.ask();
    for (; answer.status === 201; answer = await user.ask()) {
      served++;
      expect(leftAfter(answer)).toBeGreaterThanOrEqual(OF_SUBJECT - served);
      expect(leftAfter(answer)).toBeLessThanOrEqual(OF_SUBJECT - served + returned());
    }
    expect(served).toBeGreaterThanOrEqual(OF_SUBJECT);
    expect(served).toBeLessThanOrEqual(OF_SUBJECT + returned());

    expect(answer.status).toBe(429);
    expect(answer.headers).toMatchObject({
      'content-type': expect.stringMatching(/^application\/problem\+json/),
      'retry-after': '1',
      'ratelimit-limit': String(OF_SUBJECT),
      'ratelimit-remaining': '0',
      'ratelimit-reset': '10',
      'ratelimit-policy': '20;w=10, 50;w=10',
    });
    expect(answer.body).toMatchObject({
      code: 'rate-limited',
      detail: expect.stringMatching(
        /^This subject may ask for 20 .* and for 2 a second .*: 0 are left\. Try again in 1 s\.$/,
      ),
    });

    await newcomer().ask().expect(201);
    await sleep(1000 * Number(answer.headers['retry-after']));
    await user.ask().expect(201);
  });

  it('every call that takes a token counts, and what is public does not', async () => {
    const returned = stopwatch(PER_SUBJECT);
    const user = newcomer();
    await user.ask().expect(201);
    // Also one that is refused.
    const { headers } = await user.get('/grants').expect(403);
    expect(leftAfter({ headers })).toBeLessThanOrEqual(OF_SUBJECT - 2 + returned());
    expect((await installation.api.get('/healthz')).headers).not.toHaveProperty('ratelimit-limit');
    expect((await installation.api.get('/grants').expect(401)).headers).not.toHaveProperty('ratelimit-limit');
  });

  it('a tenant gets what it has, whichever of its users asks; another tenant is served', async () => {
    const returned = stopwatch(PER_TENANT);
    let served = 0;
    let answer = await newcomer().ask();
    for (; answer.status === 201; answer = await newcomer().ask()) served++;
    expect(answer.status).toBe(429);
    // What its administrator did counts too.
    expect(served).toBeLessThan(OF_TENANT + returned());
    expect(served).toBeGreaterThan(OF_TENANT / 2);
    expect(detailOf(answer)).toMatch(/^This tenant may ask for 50 /);
    expect(answer.headers['ratelimit-limit']).toBe(String(OF_TENANT));

    const quiet = await installation.createTenant();
    await quiet.grant({ subject: { type: 'everyone' }, prefix: '' });
  });

  it('a batch counts its items, and is refused whole where they are more than are left', async () => {
    // Attack: a thousand URLs by one request.
    const returned = stopwatch(PER_SUBJECT);
    const user = newcomer();
    expect(leftAfter(await user.askAll(15).expect(200))).toBeLessThanOrEqual(5 + returned());
    const left = OF_SUBJECT - 15 + returned();
    const refused = await user.askAll(OF_SUBJECT).expect(429);
    expect(detailOf(refused)).toMatch(/: [1-9]\d* are left\. Try again in \d+ s\.$/);
    // The call itself was counted, its items were not.
    expect(leftAfter(refused)).toBeGreaterThanOrEqual(4);
    expect(leftAfter(refused)).toBeLessThanOrEqual(left + returned());
    expect(itemsOf(await user.askAll(4).expect(200)).map(({ status }) => status)).toEqual([201, 201, 201, 201]);

    const tooMany = await newcomer()
      .askAll(OF_SUBJECT + 2)
      .expect(429);
    expect(detailOf(tooMany)).toMatch(/in the long run\. Ask for fewer at once\.$/);
    expect(tooMany.headers).not.toHaveProperty('retry-after');
  });

  it('is shared by all replicas: what one has served the other does not serve again', async () => {
    // Attack: ask each replica for the whole.
    const returned = stopwatch(PER_SUBJECT);
    const user = newcomer();
    let served = 0;
    for (let asked = 0; asked < 3 * OF_SUBJECT; asked++) {
      if ((await user.ask(asked % 2)).status === 201) served++;
      // Each tells the other with a look-up that is made anyway, at most every 200 ms.
      if (asked % 2 === 1) await sleep(60);
    }
    expect(served).toBeGreaterThanOrEqual(OF_SUBJECT);
    // What each serves in 200 ms, and a sixteenth, that the other does not know of.
    expect(served).toBeLessThanOrEqual(OF_SUBJECT + returned() + 2 * 5);
  });

  it('costs no statement: what is counted goes along with one that is made anyway, and whoever has nothing left costs none at all', async () => {
    const user = newcomer();
    const served = await statementsOf(installation, () => user.ask().expect(201));
    expect(served.map(([name]) => name)).toEqual(['find_issuers', 'find_holdings', 'append_to_ledger']);

    while ((await user.ask()).status === 201);
    let refused = 0;
    const statements = await statementsOf(installation, async () => {
      for (let asked = 0; asked < 20; asked++) if ((await user.ask()).status === 429) refused++;
    });
    expect(refused).toBeGreaterThan(0);
    // Three for each that was served, because something had come back meanwhile, and one for the first that was not after it.
    expect(statements.length).toBeLessThanOrEqual(4 * (20 - refused));
  });

  it('0 is no limit, and says nothing of one', async () => {
    const free = await install({ RATE_LIMIT_PER_SUBJECT: '0', RATE_LIMIT_PER_TENANT: '0' });
    try {
      const { headers } = await callsBy(free.api, tenant.admin).get('/grants').expect(200);
      expect(Object.keys(headers).filter((name) => name.startsWith('ratelimit'))).toEqual([]);
    } finally {
      await free.close();
    }
  });
});
