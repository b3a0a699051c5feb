import 'reflect-metadata';
import { randomUUID } from 'node:crypto';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Config } from '@countersign/config';
import { type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify';
import { AppModule } from './app.module.js';
import { boundConnections, connectionOptions } from './http/connections.js';
import { answerOtherOrigins } from './http/cors.js';
import { readJsonBodies } from './http/json-body.js';
import { logRequests, logStream, PinoLogger } from './http/logging.js';
import { answerOneAtATime } from './http/one-at-a-time.js';
import { answerFrameworkError } from './http/problem.filter.js';
import { answerUnreadable } from './http/unreadable-request.js';

/** The application, not yet listening: the same for production, tests and the OpenAPI document (`isPreview` constructs no provider). */
export async function createApp(config: Config, { isPreview = false } = {}): Promise<NestFastifyApplication> {
  const stream = logStream();
  const adapter = new FastifyAdapter({
    logger: { level: config.logLevel, stream },
    // A request's lines name it themselves: a logger of its own for each costs more than the line.
    childLoggerFactory: (logger: FastifyBaseLogger) => logger,
    // One line a request of our own instead of Fastify's two: without the address, whose query may hold what a log should not.
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'requestId' }),
    trustProxy: config.trustedProxies.length > 0 ? [...config.trustedProxies] : false,
    genReqId: () => randomUUID(),
    forceCloseConnections: 'idle',
    ...connectionOptions(config),
    // Whoever asks while we stop is answered, and by a problem like every other where it cannot be.
    return503OnClosing: false,
    frameworkErrors: answerFrameworkError,
    clientErrorHandler(this: FastifyInstance, error, socket) {
      answerUnreadable(this.log, error, socket);
    },
    routerOptions: { maxParamLength: 512 },
    // We have no middleware: what would look for it looks at every request.
    skipMiddie: true,
  });
  const fastify = adapter.getInstance();
  answerOneAtATime(fastify);
  boundConnections(fastify, config);
  await answerOtherOrigins(fastify, config);
  readJsonBodies(fastify);
  logRequests(fastify, stream);

  const app = await NestFactory.create<NestFastifyApplication>(AppModule.with(config), adapter, {
    bodyParser: false,
    logger: new PinoLogger(fastify.log),
    preview: isPreview,
    abortOnError: false,
  });
  return app;
}
