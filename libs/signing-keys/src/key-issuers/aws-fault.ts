import { IAMServiceException } from '@aws-sdk/client-iam';
import { KeyIssuerError, type KeyIssuerErrorKind } from './key-issuer.js';
import { storeWords } from './store-words.js';

/** What to do about a refusal, by its code. */
const REMEDIES: Record<string, string> = {
  AccessDenied: "The key issuer's own credential needs the rights that docs/operations.md lists.",
  ExpiredToken: "The session of the key issuer's own credential has ended: give it a new one.",
  InvalidClientTokenId: "IAM does not know the access key of the key issuer's own credential.",
  SignatureDoesNotMatch: "The secret of the key issuer's own credential is wrong, or the clocks differ.",
  NoSuchEntity: 'There is no such user.',
};

/** Nothing was done, and the same call may succeed later (IAM API Reference, "Common Errors", and what each action lists). */
const LATER = new Set([
  'ConcurrentModification',
  'EntityTemporarilyUnmodifiable',
  'RequestLimitExceeded',
  'Throttling',
  'ThrottlingException',
  'TooManyRequestsException',
]);

/** Why IAM did not do what it was asked. `wanted` follows "refused": "to delete AKIA…". */
export function awsFault(wanted: string, error: unknown): KeyIssuerError {
  if (error instanceof KeyIssuerError)
    return new KeyIssuerError(error.kind, `${error.message} It was asked ${wanted}.`);
  if (error instanceof Error && /^(Abort|Timeout)Error$/.test(error.name))
    return new KeyIssuerError('unknown', `IAM gave no answer in time, when asked ${wanted}.`);
  if (!(error instanceof IAMServiceException))
    return new KeyIssuerError('unknown', `IAM answered with what could not be read, when asked ${wanted}.`);
  const code = error.name.replace(/Exception$/, '');
  const kind = kindOf(error);
  const said = storeWords(`${error.$metadata.httpStatusCode ?? ''}`, code, error.message);
  if (kind === 'unknown') return new KeyIssuerError(kind, `IAM failed ${wanted}: ${said}.`);
  return new KeyIssuerError(kind, `IAM refused ${wanted}: ${said}. ${REMEDIES[code] ?? ''}`.trimEnd());
}

function kindOf({ name, $metadata: { httpStatusCode: status = 0 } }: IAMServiceException): KeyIssuerErrorKind {
  if (status === 429 || LATER.has(name) || LATER.has(name.replace(/Exception$/, ''))) return 'throttled';
  if (name.startsWith('LimitExceeded')) return 'limit';
  return status >= 300 && status < 500 ? 'refused' : 'unknown';
}
