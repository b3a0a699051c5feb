import os from 'node:os';
import type { LoggerService } from '@nestjs/common';
import type { ProblemCode } from '@countersign/errors';
import { destination, type Logger } from 'pino';
import type { FastifyBaseLogger, FastifyInstance } from 'fastify';
import { onRequestOver } from './request-over.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** Of the problem that it was answered with. */
    problemCode?: ProblemCode;
  }
}

/**
 * Every response carries its request id; every request is one line, with its route's pattern in place of its address. The line is pino's,
 * but that it is put together here, at a fifth of the cost: nothing in it is the client's to choose.
 */
export function logRequests(fastify: FastifyInstance, stream: LogStream): void {
  fastify.decorateRequest('problemCode');
  fastify.addHook('onRequest', (request, reply, done) => {
    void reply.header('x-request-id', request.id);
    done();
  });
  if (!(fastify.log as Logger).isLevelEnabled('info')) return;
  const writer = `"pid":${process.pid},"hostname":${JSON.stringify(os.hostname())}`;
  let lines = '';
  const write = () => {
    stream.write(lines);
    lines = '';
  };
  onRequestOver(fastify, ({ request, reply, route, isAnswered }) => {
    const status = isAnswered ? reply.statusCode : CLIENT_GONE;
    const where = route === null ? 'null' : `"${route}"`;
    const code = request.problemCode === undefined ? '' : `,"code":"${request.problemCode}"`;
    // All that end in one tick, as those of one batch do: behind each write the stream looks through all that it holds.
    if (lines === '') process.nextTick(write);
    lines += `{"level":30,"time":${Date.now()},${writer},"requestId":"${request.id}","method":"${request.method}","route":${where},"status":${status}${code},"ms":${Math.round(reply.elapsedTime)},"msg":"request"}\n`;
  });
}

/** To standard output, some lines at a time: a write for each would cost more than the line. All are out when the process ends. */
export function logStream(): LogStream {
  return destination({ dest: 1, sync: false, minLength: 16_000, periodicFlush: FLUSH_MS });
}

export type LogStream = ReturnType<typeof destination>;

const FLUSH_MS = 100;

/** nginx's number for it: nobody was there to be answered. */
const CLIENT_GONE = 499;

/** Nest's log, as lines of the same pino. What Nest says is text; what we say has fields. */
export class PinoLogger implements LoggerService {
  constructor(private readonly pino: FastifyBaseLogger) {}

  log(message: unknown, context?: string): void {
    this.#write(typeof message === 'string' ? 'debug' : 'info', message, context);
  }

  warn(message: unknown, context?: string): void {
    this.#write('warn', message, context);
  }

  error(message: unknown, ...rest: unknown[]): void {
    this.#write('error', message, rest.at(-1));
  }

  fatal(message: unknown, ...rest: unknown[]): void {
    this.#write('fatal', message, rest.at(-1));
  }

  debug(message: unknown, context?: string): void {
    this.#write('debug', message, context);
  }

  verbose(): void {
    // Nest's chatter.
  }

  #write(level: 'debug' | 'info' | 'warn' | 'error' | 'fatal', message: unknown, context: unknown): void {
    const fields = typeof message === 'object' && message !== null ? message : { msg: String(message) };
    this.pino[level](typeof context === 'string' ? { context, ...fields } : fields);
  }
}
