/**
 * Every code that a problem+json of this service can carry, with its status and title (RFC 9457 §3.1). A code never changes its
 * meaning; docs/errors.md has a heading for each, and a test walks this table.
 */
export const problems = {
  'invalid-request': { status: 400, title: 'The request is malformed' },
  unauthenticated: { status: 401, title: 'No valid access token' },
  'scope-missing': { status: 403, title: 'The access token lacks a scope' },
  'not-granted': { status: 403, title: 'No grant allows this' },
  'tenant-suspended': { status: 403, title: 'The tenant is suspended' },
  'not-found': { status: 404, title: 'There is no such thing here' },
  'bucket-not-found': { status: 404, title: 'There is no such bucket' },
  'already-exists': { status: 409, title: 'The name is taken' },
  'in-use': { status: 409, title: 'Something still depends on it' },
  'rotation-under-way': { status: 409, title: "A rotation of the bucket's signing key is under way" },
  'wrong-state': { status: 409, title: 'It is not in a state in which this can be done' },
  'precondition-failed': { status: 412, title: 'It has changed since it was read' },
  'body-too-large': { status: 413, title: 'The request body is too large' },
  'media-type-not-supported': { status: 415, title: 'The request body is not JSON' },
  'unknown-reference': { status: 422, title: 'The request names something that does not exist' },
  'use-case-not-found': { status: 422, title: 'There is no such use case for this action' },
  'expiry-required': { status: 422, title: 'The use case has no default expiry' },
  'expiry-out-of-range': { status: 422, title: "The expiry is outside the use case's range" },
  'content-type-not-allowed': { status: 422, title: 'The use case does not allow this content type' },
  'too-large': { status: 422, title: 'The content is larger than allowed' },
  'too-small': { status: 422, title: 'The content is smaller than allowed' },
  'overwrite-not-allowed': { status: 422, title: 'The use case does not allow overwriting' },
  'key-too-long': { status: 422, title: "The key is too long behind the bucket's prefix" },
  'endpoint-not-allowed': { status: 422, title: 'The endpoint is insecure or private' },
  'key-issuer-not-available': { status: 422, title: 'The bucket cannot have this key issuer' },
  'policy-not-expressible': { status: 422, title: "No policy can say what the bucket's prefix is" },
  'internal-error': { status: 500, title: 'Something went wrong on our side' },
  overloaded: { status: 503, title: 'Too many requests wait already' },
  'ledger-unavailable': { status: 503, title: 'The decision cannot be recorded now' },
  'issuer-unavailable': { status: 503, title: "The token's issuer gives no keys now" },
  'signing-key-unavailable': { status: 503, title: 'The bucket has no usable signing key now' },
} as const satisfies Record<string, { status: number; title: string }>;

export type ProblemCode = keyof typeof problems;
