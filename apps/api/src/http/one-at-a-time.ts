import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';

/** More on one connection, unanswered, no client needs. */
const MAX_WAITING = 64;

/**
 * Of the requests of one connection one is answered at a time: the next begins when all before it are out. Attack: a thousand requests in one
 * piece, all done at once, whose answers nobody reads: some hundred kilobytes sent were gigabytes to hold (RFC 9112 §9.3.2).
 */
export function answerOneAtATime(fastify: FastifyInstance): void {
  const waiting = new WeakMap<Socket, number>();
  fastify.addHook('onRequest', ({ raw: { socket } }, { raw: response }, done) => {
    // Node gives the connection to one answer at a time.
    if (response.socket !== null) return done();
    const count = (waiting.get(socket) ?? 0) + 1;
    waiting.set(socket, count);
    if (count > MAX_WAITING) return void socket.destroy();
    response.once('socket', () => {
      waiting.set(socket, (waiting.get(socket) ?? 0) - 1);
      done();
    });
  });
}
