import type { FastifyInstance } from 'fastify';
import { ProblemError } from '@countersign/errors';
import { parseJson, structureFault } from './json.js';
import { bodyTooLarge, readBytes } from './read-bytes.js';
import { LargeBodyRoom, UnreadBody } from './unread-body.js';

/** Of one request body; enough for any call that has no limit of its own. */
export const BODY_LIMIT_BYTES = 64 * 1024;

/** A body that could not be read. It is a value until the validation pipe, so that a caller without a token still gets a 401, not a 400. */
export class UnreadableBody {
  constructor(readonly problem: ProblemError) {}
}

/**
 * Bodies are JSON and nothing else. They are read before the guard, but for those of a route with a larger limit of its own; what is wrong with
 * them is told behind it, and where no body is taken, never.
 */
export function readJsonBodies(fastify: FastifyInstance): void {
  const room = new LargeBodyRoom();
  fastify.removeAllContentTypeParsers();
  // What is no media type at all Fastify would refuse at once; so it is one that nobody takes.
  fastify.addHook('onRequest', (request, _reply, done) => {
    const { 'content-type': type } = request.headers;
    if (type !== undefined && !MEDIA_TYPE.test(type)) request.headers['content-type'] = 'none/none';
    done();
  });
  fastify.addContentTypeParser('application/json', (request, payload, done) => {
    const { bodyLimitBytes } = request.routeOptions.config;
    if (bodyLimitBytes !== undefined) return done(null, new UnreadBody(payload, bodyLimitBytes, room));
    if (Number(request.headers['content-length']) > BODY_LIMIT_BYTES)
      return done(null, new UnreadableBody(bodyTooLarge(BODY_LIMIT_BYTES)));
    readBytes(payload, faultOf, (read) =>
      done(null, read instanceof ProblemError ? new UnreadableBody(read) : parse(read)),
    );
  });
  fastify.addContentTypeParser('*', (_request, payload, done) => {
    const faultOf = (length: number) => (length > 0 ? notJson() : null);
    readBytes(payload, faultOf, (read) =>
      done(null, read instanceof ProblemError ? new UnreadableBody(read) : undefined),
    );
  });
}

/** RFC 9110 §8.3.1, as far as its parameters. */
const MEDIA_TYPE = /^\s*[\w!#$%&'*+.^`|~-]+\/[\w!#$%&'*+.^`|~-]+\s*(?:;|$)/;

const notJson = () =>
  new ProblemError('media-type-not-supported', 'Send the body as "Content-Type: application/json".');

const faultOf = (length: number): ProblemError | null =>
  length > BODY_LIMIT_BYTES ? bodyTooLarge(BODY_LIMIT_BYTES) : null;

function parse(bytes: Buffer): unknown {
  try {
    const value = parseJson(bytes);
    const fault = structureFault(value);
    if (!fault) return value;
    const detail = `The request is malformed: see ${fault.pointer}.`;
    return new UnreadableBody(new ProblemError('invalid-request', detail, { errors: [fault] }));
  } catch (error) {
    if (error instanceof ProblemError) return new UnreadableBody(error);
    throw error;
  }
}
