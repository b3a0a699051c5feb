import type { FastifyInstance, RouteOptions } from 'fastify';

/**
 * What these routes answer first is what they answer ever after, from the same bytes. Attack: hundreds of kilobytes for nobody's token, made anew
 * for each of thousands of requests, and held for as long as none of them is read.
 */
export function keepAnswers(fastify: FastifyInstance, isKept: (url: string) => boolean): void {
  fastify.addHook('onRoute', (route) => {
    if (isKept(route.url)) keepAnswer(route);
  });
}

function keepAnswer(route: RouteOptions): void {
  let kept: { bytes: Buffer; type: string } | null = null;
  route.preHandler = (_request, reply, done) => {
    if (kept) void reply.type(kept.type).send(kept.bytes);
    else done();
  };
  route.onSend = [
    (_request, reply, payload, done) => {
      if (typeof payload !== 'string' || reply.statusCode !== 200) return done(null, payload);
      kept ??= { bytes: Buffer.from(payload), type: String(reply.getHeader('content-type')) };
      done(null, kept.bytes);
    },
    ...[route.onSend ?? []].flat(),
  ];
}
