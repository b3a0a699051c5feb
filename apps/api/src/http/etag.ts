import { createHash } from 'node:crypto';
import {
  applyDecorators,
  createParamDecorator,
  type ExecutionContext,
  Injectable,
  UseInterceptors,
} from '@nestjs/common';
import type { CallHandler, NestInterceptor } from '@nestjs/common';
import { ApiExtension, ApiHeader } from '@nestjs/swagger';
import { ProblemError } from '@countersign/errors';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { map, type Observable } from 'rxjs';

/** A strong validator (RFC 9110 §8.8.3) of what a resource is answered as: whoever changes what they read sends it back in `If-Match`. */
export function etagOf(resource: object): string {
  return `"${createHash('sha256').update(JSON.stringify(resource)).digest('base64url').slice(0, 22)}"`;
}

/**
 * Holds a change against what its author had read (RFC 9110 §13.1.1), so that two administrators never overwrite each other unseen. No
 * `If-Match`, no condition. `current` is null where there is nothing.
 * @throws ProblemError `precondition-failed`
 */
export function assertUnchanged(ifMatch: string | undefined, current: object | null): void {
  if (ifMatch === undefined) return;
  const tags = ifMatch.split(',').map((tag) => tag.trim());
  if (current !== null && (tags.includes('*') || tags.includes(etagOf(current)))) return;
  throw new ProblemError(
    'precondition-failed',
    'It has changed since it was read: read it again, and send the new ETag in If-Match.',
  );
}

@Injectable()
class EtagInterceptor implements NestInterceptor<object, object> {
  intercept(context: ExecutionContext, next: CallHandler<object>): Observable<object> {
    const reply = context.switchToHttp().getResponse<FastifyReply>();
    return next.handle().pipe(
      map((resource) => {
        void reply.header('etag', etagOf(resource));
        return resource;
      }),
    );
  }
}

export const ANSWERS_ETAG = 'x-answers-etag';

/** The answer is one resource, and carries its ETag. */
export const WithEtag = () => applyDecorators(UseInterceptors(EtagInterceptor), ApiExtension(ANSWERS_ETAG, true));

/** The route takes `If-Match`. */
export const Conditional = () =>
  applyDecorators(
    ApiHeader({
      name: 'If-Match',
      required: false,
      description: 'The ETag that was read: the change is made only if it is still that.',
    }),
  );

/** The request's `If-Match`, or undefined. */
export const IfMatch = createParamDecorator((_: unknown, context: ExecutionContext): string | undefined => {
  return context.switchToHttp().getRequest<FastifyRequest>().headers['if-match'];
});
