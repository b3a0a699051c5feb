import { fork } from 'node:child_process';
import { once } from 'node:events';
import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import request from 'supertest';
import { type BuiltApi, startBuiltApi } from '../support/built-program.js';
import { createTenant, type Tenant } from '../support/installation.js';
import { platformToken } from './platform-token.js';
import { proof } from './record.js';
import { scale } from './scale.js';

const fair = proof(
  'A tenant that floods gets its limit and no more, and does not slow down the others',
  'one tenant tries to ask ten times as fast as it may, on 32 connections, while another one asks now and then; in turns with the same other one alone',
  'Quota.use() counts nothing',
);

/** What a tenant has a second, and what the noisy one asks for. */
const [LIMIT, FLOOD] = [100, 1_000];

const ROUNDS = scale({ short: 1, full: 6 });
const SECONDS = scale({ short: 2, full: 4 });

describe('A noisy tenant', () => {
  let api: BuiltApi;
  let noisy: Tenant;
  let quiet: Tenant;

  beforeAll(async () => {
    api = await startBuiltApi({
      ...process.env,
      NODE_ENV: 'test',
      LOG_LEVEL: 'error',
      RECONCILE_UPLOADS: 'false',
      RATE_LIMIT_PER_TENANT: String(LIMIT),
    });
    const operator = platformToken('operator', 'admin:platform');
    [noisy, quiet] = [await createTenant(request(api.url), operator), await createTenant(request(api.url), operator)];
    for (const tenant of [noisy, quiet]) await tenant.grant({ subject: { type: 'everyone' }, prefix: 'shared/' });
  }, 60_000);
  afterAll(() => api.kill());

  it('is refused what is beyond its limit, and the quiet one is served as ever', async () => {
    const [usual, beside]: [number[], number[]] = [[], []];
    const heard = { served: 0, refused: 0, other: 0 };
    const begunAt = performance.now();
    await askNowAndThen(api.url, quiet, 1);
    for (let round = 0; round < ROUNDS; round++) {
      usual.push(...(await askNowAndThen(api.url, quiet, SECONDS)));
      const flood = new Flood(api.url, noisy);
      await flood.hasBegun();
      beside.push(...(await askNowAndThen(api.url, quiet, SECONDS)));
      const counts = await flood.stop();
      for (const name of ['served', 'refused', 'other'] as const) heard[name] += counts[name];
    }

    expect(heard.other).toBe(0);
    expect(heard.refused).toBeGreaterThan(0);
    // Ten seconds' worth at once, and its rate.
    expect(heard.served).toBeLessThanOrEqual(LIMIT * (10 + (performance.now() - begunAt) / 1000));
    const ratio = p99(beside) / p99(usual);
    const [before, during] = [usual, beside].map((times) => `${p99(times).toFixed(1)} ms`);
    // A machine that is busy with other things would answer for itself: `npm run prove` has it to itself.
    if (scale({ short: false, full: true })) expect(ratio).toBeLessThanOrEqual(2);
    const figure = `p99 ${during} beside ${before} alone: ${ratio.toFixed(2)} ×; ${heard.refused.toLocaleString('en')} refused`;
    fair.record({ cases: heard.served + heard.refused, figure });
  }, 300_000);
});

/** One after the other, a hundred a second at the most, each served; how long each took, in milliseconds. */
async function askNowAndThen(url: string, tenant: Tenant, seconds: number): Promise<number[]> {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  const token = tenant.token('user');
  const times: number[] = [];
  const until = performance.now() + seconds * 1000;
  for (let n = 0; performance.now() < until; n++) {
    const askedAt = performance.now();
    await request(url)
      .post('/download-url')
      .agent(agent)
      .auth(token, { type: 'bearer' })
      .send({ bucket: tenant.bucket, key: `shared/${n}` })
      .expect(201);
    times.push(performance.now() - askedAt);
    await sleep(10);
  }
  agent.destroy();
  return times;
}

function p99(times: number[]): number {
  const sorted = [...times].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length * 0.99)] ?? NaN;
}

interface Counts {
  served: number;
  refused: number;
  other: number;
}

/** In a process of its own: what measures must not be what makes the noise. */
class Flood {
  readonly #process;

  constructor(url: string, tenant: Tenant) {
    this.#process = fork(fileURLToPath(new URL('noisy-tenant/flood.mjs', import.meta.url)), {
      env: { ...process.env, URL: url, TOKEN: tenant.token('user'), BUCKET: tenant.bucket, RATE: String(FLOOD) },
      execArgv: [],
    });
  }

  /** It was refused something. */
  async hasBegun(): Promise<void> {
    await once(this.#process, 'message', { signal: AbortSignal.timeout(60_000) });
  }

  async stop(): Promise<Counts> {
    const counts = once(this.#process, 'message');
    this.#process.send('stop');
    const [told] = (await counts) as [Counts];
    return told;
  }
}
