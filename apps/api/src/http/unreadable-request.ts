import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import { ProblemError } from '@countersign/errors';
import type { FastifyBaseLogger } from 'fastify';
import { problemBody } from './problem.filter.js';

/** What Node could not read as HTTP, or not all of in time, is answered by the same problem as everywhere; then the connection ends. */
export function answerUnreadable(log: FastifyBaseLogger, error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
  const requestId = randomUUID();
  const problem = new ProblemError('invalid-request', DETAILS[error.code ?? ''] ?? OTHERWISE);
  const { code, status } = problem;
  const body = JSON.stringify(problemBody(problem, requestId));
  const lines = [
    `HTTP/1.1 ${status} Bad Request`,
    'content-type: application/problem+json; charset=utf-8',
    `content-length: ${Buffer.byteLength(body)}`,
    'cache-control: no-store',
    `x-request-id: ${requestId}`,
    'connection: close',
  ];
  socket.end(`${lines.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy());
  log.info({ requestId, method: null, route: null, status, code, ms: 0 }, 'request');
}

const DETAILS: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW:
    'The request is malformed: its address and headers are larger than the 16384 bytes that this server takes.',
  HPE_CHUNK_EXTENSIONS_OVERFLOW:
    'The request is malformed: the extensions of its chunks are larger than the 16384 bytes that this server takes.',
  ERR_HTTP_REQUEST_TIMEOUT: 'The request is malformed: it did not come to its end in time.',
};

const OTHERWISE = 'The request is malformed: it could not be read as HTTP.';
