import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

/** A request that is over. */
export interface Over {
  request: FastifyRequest;
  reply: FastifyReply;
  /** The route's pattern, or null where there is none. */
  route: string | null;
  /** Whether its answer is out; else its client went away before that. */
  isAnswered: boolean;
}

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
    // Once, as Node says it once: `once` would cost more than what is told.
    reply.raw.on('close', () => {
      // Fastify makes the options anew whenever they are asked for.
      const route = request.routeOptions.url ?? null;
      const over = { request, reply, route, isAnswered: reply.raw.writableFinished };
      for (const each of tells) each(over);
    });
    done();
  });
}

type Tell = (over: Over) => void;

/** One listener a request, however many are told. */
const listeners = new WeakMap<FastifyInstance, Tell[]>();
