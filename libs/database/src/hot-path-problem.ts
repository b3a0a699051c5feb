import { ProblemError } from '@countersign/errors';
import { ClockSkewError } from './clock-skew.js';
import { QueueFullError } from './queue-full-error.js';

/** The 503 for a call of the hot path that failed: whatever the reason, nothing was decided, and the same request may succeed later. */
export function hotPathProblem(
  cause: unknown,
  detail = 'The database did not answer. Try again shortly.',
): ProblemError {
  if (cause instanceof QueueFullError)
    return new ProblemError('overloaded', 'Too many requests wait already. Try again shortly.', {
      retryAfterSeconds: 1,
      cause,
    });
  if (cause instanceof ClockSkewError)
    return new ProblemError('ledger-unavailable', "This service's clock and its database's disagree.", {
      retryAfterSeconds: 10,
      cause,
    });
  return new ProblemError('ledger-unavailable', detail, { retryAfterSeconds: 2, cause });
}
