import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

/**
 * Tells of every request, once, when it is over: its answer is out, or its client went away before that. Fastify's own `onResponse` never
 * hears of the latter, and `onRequestAbort` only while a body is still being read; a URL may have been made and recorded by then.
 */
export function onRequestOver(
  fastify: FastifyInstance,
  tell: (request: FastifyRequest, reply: FastifyReply, isAnswered: boolean) => void,
): void {
  fastify.addHook('onRequest', (request, reply, done) => {
    reply.raw.once('close', () => tell(request, reply, reply.raw.writableFinished));
    done();
  });
}
