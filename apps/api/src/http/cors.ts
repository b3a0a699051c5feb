import cors from '@fastify/cors';
import type { Config } from '@countersign/config';
import type { FastifyInstance } from 'fastify';

/** Which answers another origin's page can read, as the installation says. Without Nest, which copies every answer's headers once more. */
export async function answerOtherOrigins(fastify: FastifyInstance, { corsOrigins }: Config): Promise<void> {
  // It asks itself for each request what it is to do, for more than the guard costs: so it gets the preflights only.
  await fastify.register(async (preflights) => {
    await preflights.register(cors, {
      origin: [...corsOrigins],
      methods: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'],
      allowedHeaders: ['Authorization', 'Content-Type', 'Idempotency-Key', 'If-Match'],
      exposedHeaders: EXPOSED_HEADERS,
      maxAge: 600,
    });
  });

  const allowed = new Set(corsOrigins);
  fastify.addHook('onRequest', (request, reply, done) => {
    if (request.method === 'OPTIONS') return done();
    const { origin } = request.headers;
    void reply.header('vary', 'Origin');
    if (origin !== undefined && allowed.has(origin)) {
      void reply.header('access-control-allow-origin', origin).header('access-control-expose-headers', EXPOSED_HEADERS);
    }
    done();
  });
}

const EXPOSED_HEADERS =
  'X-Request-Id, Retry-After, ETag, Location, RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset, RateLimit-Policy';
