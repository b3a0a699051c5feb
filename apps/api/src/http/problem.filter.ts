import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException, Logger } from '@nestjs/common';
import { isUnavailable } from '@countersign/database';
import { ProblemError, problems } from '@countersign/errors';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Problem } from './problem.dto.js';

/** The edge: every failure becomes `application/problem+json` (RFC 9457), and nothing of what failed inside is shown. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  readonly #logger = new Logger('Problem');

  catch(exception: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    this.answer(exception, http.getRequest<FastifyRequest>(), http.getResponse<FastifyReply>());
  }

  answer(exception: unknown, request: FastifyRequest, reply: FastifyReply): void {
    const problem = toProblem(exception);
    request.problemCode = problem.code;
    if (problem.status >= 500)
      this.#logger.error({ requestId: request.id, code: problem.code, err: problem.cause ?? exception });
    else this.#logger.debug({ requestId: request.id, code: problem.code, detail: problem.detail });

    answerProblem(problem, this.bodyOf(problem, request.id), reply);
  }

  protected bodyOf(problem: ProblemError, requestId: string): Problem {
    return problemBody(problem, requestId);
  }
}

/** What Fastify refuses before it knows the route, such as a path that is no UTF-8: the same problem as everywhere. */
export function answerFrameworkError(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const problem = toProblem(error);
  void reply.header('x-request-id', request.id);
  answerProblem(problem, problemBody(problem, request.id), reply);
  // No hook hears of such a request: its line is written here.
  const { status, code } = problem;
  request.log.info({ requestId: request.id, method: request.method, route: null, status, code, ms: 0 }, 'request');
}

function answerProblem(problem: ProblemError, body: Problem, reply: FastifyReply): void {
  if (problem.status === 401) void reply.header('www-authenticate', 'Bearer realm="countersign"');
  if (problem.retryAfterSeconds !== undefined) void reply.header('retry-after', String(problem.retryAfterSeconds));
  void reply
    .status(problem.status)
    .header('cache-control', 'no-store')
    .type('application/problem+json; charset=utf-8')
    .serializer(JSON.stringify)
    .send(body);
}

/** RFC 9457 §3, with `code`, `requestId`, `errors` and `rotationId` as extensions. */
export function problemBody({ code, status, detail, errors, rotationId }: ProblemError, requestId: string): Problem {
  const body = { type: `/docs/errors#${code}`, title: problems[code].title, status, code, detail, requestId };
  const more = rotationId === undefined ? {} : { rotationId };
  return { ...body, ...more, ...(errors.length > 0 ? { errors: [...errors] } : {}) };
}

function toProblem(exception: unknown): ProblemError {
  if (exception instanceof ProblemError) return exception;
  if (isUnavailable(exception)) {
    return new ProblemError('ledger-unavailable', 'The database did not answer. Try again shortly.', {
      retryAfterSeconds: 2,
      cause: exception,
    });
  }
  const status =
    exception instanceof HttpException
      ? exception.getStatus()
      : ((exception as { statusCode?: unknown } | null)?.statusCode ?? 500);
  if (status === 404) return new ProblemError('not-found', 'There is no such route: see /openapi.json.');
  if (status === 413) return new ProblemError('body-too-large', 'The request body is larger than this call takes.');
  if (status === 415)
    return new ProblemError('media-type-not-supported', 'Send the body as "Content-Type: application/json".');
  if (typeof status === 'number' && status >= 400 && status < 500) {
    return new ProblemError('invalid-request', 'The request is malformed: it could not be read as HTTP.');
  }
  return new ProblemError(
    'internal-error',
    'The request failed for a reason of ours. Tell the operator the request id.',
    { cause: exception },
  );
}
