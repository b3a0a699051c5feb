import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { fastify } from 'fastify';
import { answerOneAtATime } from '../../../apps/api/src/http/one-at-a-time.js';
import { answersTo } from '../../proof/limits/raw.js';

describe('Requests that come on one connection before the first is answered', () => {
  const server = fastify();
  let port: number;
  let underWay = 0;
  let mostUnderWay = 0;

  beforeAll(async () => {
    answerOneAtATime(server);
    server.all('/:name', async ({ params, body }) => {
      mostUnderWay = Math.max(mostUnderWay, ++underWay);
      await pause(1);
      underWay--;
      return { ...(params as object), body };
    });
    await server.listen({ port: 0, host: '127.0.0.1' });
    ({ port } = server.server.address() as AddressInfo);
  });
  afterAll(() => server.close());

  const last = 'GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';
  const requests = (count: number) =>
    Array.from({ length: count }, (_, n) => `GET /${n} HTTP/1.1\r\nHost: a\r\n\r\n`).join('');

  it('are answered one after the other, bodies and all', async () => {
    const post = 'POST /post HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nhi';
    const answers = await answersTo(port, requests(30) + post + requests(30) + last);
    expect(mostUnderWay).toBe(1);
    const names = answers.map(({ body }) => (JSON.parse(body) as { name: string }).name);
    const numbers = Array.from({ length: 30 }, (_, n) => String(n));
    expect(names).toEqual([...numbers, 'post', ...numbers, 'last']);
    expect(JSON.parse(answers[30]?.body ?? '')).toEqual({ name: 'post', body: 'hi' });
  });

  it('end the connection where they are more than 64', async () => {
    // Attack: a thousand requests in one piece, all held at once.
    expect(await answersTo(port, requests(64) + last)).toHaveLength(65);
    expect((await answersTo(port, requests(1_000) + last)).length).toBeLessThan(65);
    expect(await answersTo(port, last)).toHaveLength(1);
  });
});
