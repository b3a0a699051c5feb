import { type FieldError, ProblemError } from '@countersign/errors';
import type { Violation } from '@countersign/policy';

/** S3's limit on a key, with the bucket's own prefix (Amazon S3 User Guide, "Naming Amazon S3 objects"). */
const MAX_KEY_BYTES = 1024;

/** The same for a bucket that does not exist and for one in which the caller has nothing: asking must not tell which there are. */
export const refusalProblem = (reason: 'bucket-not-found' | 'not-granted') =>
  reason === 'bucket-not-found'
    ? new ProblemError(reason, 'There is no such bucket, or no grant in it for the caller.')
    : new ProblemError(reason, 'No grant allows the caller to do this to this key.');

export const tenantSuspended = () => new ProblemError('tenant-suspended', 'The tenant is suspended: ask its operator.');

export const notVerified = () =>
  new ProblemError('not-verified', 'An upload to this key must be verified before anybody may download it.');

export const noSigningKey = (cause?: unknown) =>
  new ProblemError('signing-key-unavailable', 'The bucket has no credential that can sign now. Try again shortly.', {
    retryAfterSeconds: 5,
    cause,
  });

type KeyTooLong = FieldError & { code: 'key-too-long' };

export function outsidePolicy(violations: readonly (Violation | KeyTooLong)[]): ProblemError {
  const detail = violations.map(({ pointer, message }) => `${pointer.slice(1)} ${message}`).join('; ');
  return new ProblemError(violations[0]?.code ?? 'internal-error', `${detail}.`, { errors: violations });
}

export function keyLengthFault(key: string): KeyTooLong[] {
  if (Buffer.byteLength(key) <= MAX_KEY_BYTES) return [];
  const message = `must be at most ${MAX_KEY_BYTES} bytes together with the bucket's own prefix`;
  return [{ code: 'key-too-long' as const, pointer: '/key', message, limits: { maxBytes: MAX_KEY_BYTES } }];
}
