import { problems, type ProblemCode } from './problems.js';

/** One thing that is wrong with a request, and where. */
export interface FieldError {
  /** RFC 6901; of a query or a header, as if its parameters were members of an object. */
  pointer: string;
  message: string;
  /** Of a 422: what is wrong, by code. */
  code?: ProblemCode;
  /** Of a 422: the limits that were passed. */
  limits?: Record<string, unknown>;
}

/**
 * A problem that ends a request. Only the edge turns it into an answer. `detail` and `errors` are shown to the caller: they
 * hold no secret, and nothing of what another tenant owns.
 */
export class ProblemError extends Error {
  readonly status: number;
  readonly errors: readonly FieldError[];
  /** Whole seconds, for `Retry-After` (RFC 9110 §10.2.3). */
  readonly retryAfterSeconds: number | undefined;
  /** Of `rotation-under-way`: the one to follow. */
  readonly rotationId: string | undefined;

  constructor(
    readonly code: ProblemCode,
    readonly detail: string,
    more: { errors?: readonly FieldError[]; retryAfterSeconds?: number; rotationId?: string; cause?: unknown } = {},
  ) {
    super(`${code}: ${detail}`, { cause: more.cause });
    this.name = 'ProblemError';
    this.status = problems[code].status;
    this.errors = more.errors ?? [];
    this.retryAfterSeconds = more.retryAfterSeconds;
    this.rotationId = more.rotationId;
  }
}
