import { ProblemError } from '@countersign/errors';
import type { Terms } from '@countersign/ledger';
import type { Holding } from '@countersign/tenancy';

/**
 * How often a request with a key is looked up and decided: it may be quicker elsewhere, and a rotation may come between, and each of that
 * is known the next time.
 */
export const ATTEMPTS = 4;

/** Why what was issued before cannot be signed again, or null. A key that signs no more signs nothing, not even what it has signed. */
export function replayFault(
  { signingKeyId, issuedAt, expiresInSeconds }: Terms,
  { signingKey, now }: Holding,
): ProblemError | null {
  if (signingKey?.id !== signingKeyId)
    return replayGone('the signing key that it was signed with is not in use any more');
  return issuedAt + expiresInSeconds > now ? null : replayGone('what was issued has expired');
}

export const replayGone = (why: string): ProblemError =>
  new ProblemError(
    'idempotency-replay-gone',
    `This was done before, but what was made cannot be given again: ${why}. Make a new Idempotency-Key.`,
  );
