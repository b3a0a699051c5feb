import { Prisma } from './generated/client.js';

/** A unique constraint refused the row (P2002). */
export function isUniqueViolation(error: unknown): boolean {
  return error instanceof Prisma.PrismaClientKnownRequestError && error.code === 'P2002';
}

/**
 * Whether the database could not be reached, was stopping, or had no connection left: the same call may succeed later. Anything
 * else is a fault of ours.
 */
export function isUnavailable(error: unknown): boolean {
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    const code = codeOf(cause);
    if (UNAVAILABLE.has(code) || code.startsWith('08') || code.startsWith('57P') || CONNECTION_LOST.test(cause.message))
      return true;
  }
  return false;
}

/** SQLSTATE class 22 or 23: the statement's data was refused and nothing was done, so that others in its batch may try alone. */
export function isDataFault(error: unknown): boolean {
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    if (/^2[23]/.test(codeOf(cause))) return true;
  }
  return false;
}

/** Prisma: P1001 no server, P1002 time-out, P1008 operation time-out, P1017 closed, P2024 pool, P2028 transaction, P2037 connections. */
const UNAVAILABLE = new Set([
  'P1001',
  'P1002',
  'P1008',
  'P1017',
  'P2024',
  'P2028',
  'P2037',
  '53300',
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
]);

const CONNECTION_LOST =
  /connection terminated|timeout exceeded when trying to connect|server has closed the connection|can't reach database/i;

function codeOf(error: Error): string {
  const { code, meta } = error as {
    code?: unknown;
    meta?: { code?: unknown; driverAdapterError?: { cause?: { originalCode?: unknown } } };
  };
  const inner = meta?.code ?? meta?.driverAdapterError?.cause?.originalCode;
  return typeof inner === 'string' ? inner : typeof code === 'string' ? code : '';
}
