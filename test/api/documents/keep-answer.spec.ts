import { expect, it } from '@jest/globals';
import { fastify } from 'fastify';
import { keepAnswers } from '../../../apps/api/src/documents/keep-answer.js';

it('a kept answer is made once, and comes as it was; others, and what is no answer, are made each time', async () => {
  const server = fastify();
  let made = 0;
  keepAnswers(server, (url) => url.startsWith('/kept'));
  server.get('/kept', (_request, reply) => reply.type('text/yaml').send(`made: ${++made}`));
  server.get('/kept/not', (_request, reply) => reply.status(503).send(`made: ${++made}`));
  server.get('/other', (_request, reply) => reply.send(`made: ${++made}`));
  const address = await server.listen({ port: 0, host: '127.0.0.1' });
  const get = async (url: string, method: 'GET' | 'HEAD' = 'GET') => {
    const answer = await fetch(`${address}${url}`, { method });
    return [
      answer.status,
      await answer.text(),
      answer.headers.get('content-type'),
      answer.headers.get('content-length'),
    ];
  };
  const kept = [200, 'made: 1', 'text/yaml', '7'];
  expect([await get('/kept'), await get('/kept')]).toEqual([kept, kept]);
  expect([(await get('/kept/not'))[1], (await get('/kept/not'))[1]]).toEqual(['made: 2', 'made: 3']);
  expect([(await get('/other'))[1], (await get('/other'))[1]]).toEqual(['made: 4', 'made: 5']);
  expect((await get('/kept', 'HEAD'))[0]).toBe(200);
  await server.close();
});
