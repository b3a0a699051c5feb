import type { HeadersObject } from '@nestjs/swagger';

/** The headers of our answers that a client may want to read. Browsers are shown all but WWW-Authenticate. */
export const HEADERS: HeadersObject = {
  'X-Request-Id': {
    description: 'Names this request in our logs: tell it to the operator.',
    required: true,
    schema: { type: 'string', format: 'uuid' },
  },
  ETag: {
    description: 'What was answered, in short: send it back in `If-Match` with a change.',
    required: true,
    schema: { type: 'string' },
    example: '"3q2-7wAAAAAAAAAAAAAAAA"',
  },
  'WWW-Authenticate': {
    description: 'How to authenticate (RFC 6750).',
    schema: { type: 'string' },
    example: 'Bearer realm="countersign"',
  },
  'Retry-After': {
    description: 'In how many seconds to try again.',
    schema: { type: 'integer', minimum: 1 },
    example: 2,
  },
  'RateLimit-Limit': {
    description: 'How many URLs, or other calls, the caller may ask for at once: what its rate gives in ten seconds.',
    schema: { type: 'integer', minimum: 1 },
    example: 100_000,
  },
  'RateLimit-Remaining': {
    description: 'How many of them are left now.',
    schema: { type: 'integer', minimum: 0 },
    example: 99_999,
  },
  'RateLimit-Reset': {
    description: 'In how many seconds all of them are left again.',
    schema: { type: 'integer', minimum: 1, maximum: 10 },
    example: 7,
  },
  'RateLimit-Policy': {
    description: "The limits: the subject's and the tenant's, each with its window in seconds.",
    schema: { type: 'string' },
    example: '100000;w=10, 1000000;w=10',
  },
};

export const RATE_LIMIT_HEADERS = ['RateLimit-Limit', 'RateLimit-Remaining', 'RateLimit-Reset', 'RateLimit-Policy'];

export const headerRefs = (...names: (keyof typeof HEADERS)[]) =>
  Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]));
