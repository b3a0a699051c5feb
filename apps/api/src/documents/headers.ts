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
};

export const headerRefs = (...names: (keyof typeof HEADERS)[]) =>
  Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]));
