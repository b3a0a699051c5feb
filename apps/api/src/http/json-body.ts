import type { FastifyInstance } from 'fastify';
import { ProblemError, type FieldError } from '@countersign/errors';

/** Of one request body; enough for any call that has no limit of its own. */
export const BODY_LIMIT_BYTES = 64 * 1024;

/** Deep nesting overflows the stack of whatever walks it. */
const MAX_DEPTH = 16;

/** Names that reach an object's prototype where code copies properties, or that such code leaves out without a word. */
export const FORBIDDEN_NAMES: ReadonlySet<string> = new Set([
  ...Object.getOwnPropertyNames(Object.prototype),
  'prototype',
]);

/** A body that could not be read. It is a value until the validation pipe, so that a caller without a token still gets a 401, not a 400. */
export class UnreadableBody {
  constructor(readonly problem: ProblemError) {}
}

/** Bodies are JSON in UTF-8 (RFC 8259 §8.1) and nothing else; bytes that are no UTF-8 are refused, never replaced. */
export function readJsonBodies(fastify: FastifyInstance): void {
  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser(
    'application/json',
    { parseAs: 'buffer', bodyLimit: BODY_LIMIT_BYTES },
    (_request, body, done) => {
      done(null, parse(body as Buffer));
    },
  );
  fastify.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: BODY_LIMIT_BYTES }, (_request, body, done) => {
    const problem = new ProblemError('media-type-not-supported', 'Send the body as "Content-Type: application/json".');
    done(null, body.length === 0 ? undefined : new UnreadableBody(problem));
  });
}

function parse(body: Buffer): unknown {
  if (body.length === 0) return undefined;
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
    const fault = structureFault(value, '', 0);
    return fault ? unreadable(`The request is malformed: see ${fault.pointer}.`, [fault]) : value;
  } catch {
    return unreadable('The body is not valid JSON in UTF-8.', []);
  }
}

function structureFault(value: unknown, pointer: string, depth: number): FieldError | null {
  if (typeof value !== 'object' || value === null) return null;
  if (depth >= MAX_DEPTH) return { pointer, message: `is nested more than ${MAX_DEPTH} deep` };
  for (const name of Object.keys(value)) {
    const at = `${pointer}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
    if (FORBIDDEN_NAMES.has(name)) return { pointer: at, message: 'is not a field of this request' };
    const fault = structureFault((value as Record<string, unknown>)[name], at, depth + 1);
    if (fault) return fault;
  }
  return null;
}

function unreadable(detail: string, errors: FieldError[]): UnreadableBody {
  return new UnreadableBody(new ProblemError('invalid-request', detail, { errors }));
}
