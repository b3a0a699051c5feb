import { applyDecorators, createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { ApiHeader } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { invalid } from '../http/request-validation.pipe.js';
import { fingerprintOf } from './fingerprint.js';

export const IDEMPOTENCY_KEY = 'Idempotency-Key';

/** Of a request that is to be done once: the client's name for it, and what it asks. */
export interface Once {
  key: string;
  fingerprint: string;
}

/** The route takes `Idempotency-Key`. */
export const Idempotent = () =>
  applyDecorators(
    ApiHeader({
      name: IDEMPOTENCY_KEY,
      required: false,
      description:
        'A name for this request that is new, such as a UUID: whoever sends the same again within 24 hours, because no answer came, is given what was made the first time.',
      schema: { type: 'string', pattern: KEY.source },
    }),
  );

/** What the request's `Idempotency-Key` stands for, or null where it has none. */
export const AskedOnce = createParamDecorator((_: unknown, context: ExecutionContext): Once | null => {
  const request = context.switchToHttp().getRequest<FastifyRequest>();
  return onceOf(request, request.body);
});

/** The same of a request whose body was read, or will be refused. @throws ProblemError `invalid-request` for a key that is none. */
export function onceOf(request: FastifyRequest, body: unknown): Once | null {
  const key = request.headers['idempotency-key'];
  if (key === undefined) return null;
  if (typeof key !== 'string' || !KEY.test(key))
    throw invalid([{ pointer: `/${IDEMPOTENCY_KEY}`, message: 'must be 1 to 255 visible ASCII characters' }]);
  const { routeOptions, params, query } = request;
  return { key, fingerprint: fingerprintOf([routeOptions.url ?? '', params, query, body]) };
}

const KEY = /^[!-~]{1,255}$/;
