import 'reflect-metadata';
import { randomUUID } from 'node:crypto';
import cors from '@fastify/cors';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Config } from '@countersign/config';
import { type FastifyBaseLogger, LogController } from 'fastify';
import { AppModule } from './app.module.js';
import { readJsonBodies } from './http/json-body.js';
import { logRequests, logStream, PinoLogger } from './http/logging.js';
import { answerFrameworkError } from './http/problem.filter.js';

/** The application, not yet listening: the same for production, tests and the OpenAPI document (`isPreview` constructs no provider). */
export async function createApp(config: Config, { isPreview = false } = {}): Promise<NestFastifyApplication> {
  const adapter = new FastifyAdapter({
    logger: { level: config.logLevel, stream: logStream() },
    // A request's lines name it themselves: a logger of its own for each costs more than the line.
    childLoggerFactory: (logger: FastifyBaseLogger) => logger,
    // One line a request of our own instead of Fastify's two: without the address, whose query may hold what a log should not.
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'requestId' }),
    trustProxy: config.trustedProxies.length > 0 ? [...config.trustedProxies] : false,
    genReqId: () => randomUUID(),
    forceCloseConnections: 'idle',
    requestTimeout: 30_000,
    frameworkErrors: answerFrameworkError,
    routerOptions: { maxParamLength: 512 },
  });
  const fastify = adapter.getInstance();
  // Not by Nest, which copies the headers of every answer once more for middleware that we do not have.
  await fastify.register(cors, {
    origin: [...config.corsOrigins],
    methods: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'],
    allowedHeaders: ['Authorization', 'Content-Type', 'If-Match'],
    exposedHeaders: ['X-Request-Id', 'Retry-After', 'ETag', 'Location'],
    maxAge: 600,
  });
  readJsonBodies(fastify);
  logRequests(fastify);

  const app = await NestFactory.create<NestFastifyApplication>(AppModule.with(config), adapter, {
    bodyParser: false,
    logger: new PinoLogger(fastify.log),
    preview: isPreview,
    abortOnError: false,
  });
  return app;
}
