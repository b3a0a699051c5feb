import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

/**
 * Tells of every request, once, when it is over: its answer is out, or its client went away before that. Fastify's own `onResponse` never
 * hears of the latter, and `onRequestAbort` only while a body is still being read; a URL may have been made and recorded by then.
 */
export function onRequestOver(fastify: FastifyInstance, tell: Tell): void {
  const known = listeners.get(fastify);
  if (known) return void known.push(tell);
  const tells = [tell];
  listeners.set(fastify, tells);
  fastify.addHook('onRequest', (request, reply, done) => {
    reply.raw.once('close', () => {
      for (const each of tells) each(request, reply, reply.raw.writableFinished);
    });
    done();
  });
}

type Tell = (request: FastifyRequest, reply: FastifyReply, isAnswered: boolean) => void;

/** One listener a request, however many are told. */
const listeners = new WeakMap<FastifyInstance, Tell[]>();
