import type { Server } from 'node:http';
import type { Config } from '@countersign/config';
import { ProblemError } from '@countersign/errors';
import type { FastifyInstance } from 'fastify';
import { answerFrameworkError } from './problem.filter.js';
import { endUnreadAnswers } from './unread-answers.js';

/** From the first byte of a request, or from when its connection was made, to the end of its headers. */
const HEADERS_MS = 10_000;

/** From the first byte of a request to the end of its body. */
const REQUEST_MS = 30_000;

/** Whoever has begun a request by then has sent it, and nothing that is not given up when we stop takes as long. */
const STOPPED_AFTER_MS = 32_000;

/** How late the first two may be noticed. */
const LOOKED_AT_EVERY_MS = 1_000;

/** What Fastify is told about connections: each wait for a client has an end, and nothing is dropped silently. */
export function connectionOptions({ keepAliveSeconds }: Config) {
  return {
    http: {
      headersTimeout: HEADERS_MS,
      connectionsCheckingInterval: LOOKED_AT_EVERY_MS,
      maxHeaderSize: 16 * 1024,
      // We refuse what has none ourselves: Node would do it without a body, a request id or a line in the log.
      requireHostHeader: false,
    },
    requestTimeout: REQUEST_MS,
    keepAliveTimeout: keepAliveSeconds * 1000,
  };
}

/** Bounds how many clients there are at once: beyond, the newcomer's connection is closed, and those that are here are served. */
export function boundConnections(fastify: FastifyInstance, { maxConnections }: Config): void {
  const { server } = fastify;
  server.maxConnections = maxConnections;
  // Attack: thousands of headers of two letters, behind which Node would leave out what the proxy adds. Their size has a bound already.
  server.maxHeadersCount = 0;
  // Node would answer 417 by itself, in no words of ours. RFC 9110 §10.1.1 allows to do as if it had not been said.
  server.on('checkExpectation', (request, response) => server.emit('request', request, response));
  endUnreadAnswers(server);
  fastify.addHook('onRequest', (request, reply, done) => {
    const { headers, httpVersion } = request.raw;
    if (headers.host !== undefined || httpVersion === '1.0') return done();
    answerFrameworkError(new ProblemError('invalid-request', WITHOUT_HOST), request, reply);
  });
  // While it stops, Node looks at no time any more: who is slow then would keep it alive for ever.
  fastify.addHook('preClose', (done) => {
    setTimeout(() => server.closeAllConnections(), STOPPED_AFTER_MS).unref();
    done();
  });
  logRefused(fastify, server, maxConnections);
}

/** RFC 9112 §3.2. */
const WITHOUT_HOST = 'The request is malformed: it has no Host header.';

/** One line for all that were refused since the last one. */
function logRefused(fastify: FastifyInstance, server: Server, maxConnections: number): void {
  let refused = 0;
  const report = () => {
    fastify.log.warn({ refused, maxConnections }, 'connections refused');
    refused = 0;
  };
  server.on('drop', () => {
    if (refused++ === 0) setTimeout(report, REPORT_AFTER_MS).unref();
  });
}

const REPORT_AFTER_MS = 1_000;
