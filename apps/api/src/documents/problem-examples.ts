import { type FieldError, type ProblemCode, problems } from '@countersign/errors';
import type { ExampleObject } from '@nestjs/swagger';

const EXPIRY = { minExpirySeconds: 60, maxExpirySeconds: 3_600 };
const LENGTH = { minContentLength: 1, maxContentLength: 10_485_760 };

/** Of the problems that say where, one place each; of a 422 with the code, since there may be several. */
const PLACES: Partial<Record<ProblemCode, FieldError>> = {
  'invalid-request': { pointer: '/key', message: 'must not start with "/"' },
  'already-exists': { pointer: '/name', message: 'is taken' },
  'unknown-reference': { pointer: '/bucket', message: 'is not a bucket of this tenant' },
  'use-case-not-found': { pointer: '/useCase', message: 'is not a use case of this tenant' },
  'expiry-required': { pointer: '/expiresInSeconds', message: 'must be given: "batch" has no default', limits: EXPIRY },
  'expiry-out-of-range': {
    pointer: '/expiresInSeconds',
    message: 'must be 60 to 3600 seconds in "download"',
    limits: EXPIRY,
  },
  'content-type-not-allowed': {
    pointer: '/contentType',
    message: 'must be one of image/* in "avatar"',
    limits: { contentTypes: ['image/*'] },
  },
  'too-large': { pointer: '/contentLength', message: 'must be at most 10485760 bytes', limits: LENGTH },
  'too-small': { pointer: '/contentLength', message: 'must be at least 1 bytes', limits: LENGTH },
  'size-range-not-available': {
    pointer: '/contentLengthRange',
    message: 'cannot be held to by "put": give contentLength, or take "post"',
  },
  'mode-not-available': {
    pointer: '/mode',
    message: 'cannot be "post", nor "auto" with a range: this bucket offers no POST policies',
  },
  'overwrite-not-allowed': {
    pointer: '/overwrite',
    message: 'is not allowed in "upload"',
    limits: { overwrite: false },
  },
  'key-too-long': {
    pointer: '/key',
    message: "must be at most 1024 bytes together with the bucket's own prefix",
    limits: { maxBytes: 1024 },
  },
  'upload-incomplete': { pointer: '/parts', message: 'part 3 is not at the store' },
  'checksums-not-available': { pointer: '/checksums', message: 'must be left out at AWS' },
  'part-number-out-of-range': {
    pointer: '/partNumbers/0',
    message: 'must be at most 25',
    limits: { partCount: 25 },
  },
  'endpoint-not-allowed': { pointer: '/endpoint', message: 'must be https:' },
};

/** One problem of every code, for `components.examples`. */
export function problemExamples(): Record<string, ExampleObject> {
  return Object.fromEntries(
    (Object.keys(problems) as ProblemCode[]).map((code) => [
      code,
      { summary: problems[code].title, value: problemOf(code) },
    ]),
  );
}

function problemOf(code: ProblemCode): object {
  const { status, title } = problems[code];
  const place = PLACES[code];
  const found =
    place && (status === 400 ? `${title}: see ${place.pointer}` : `${place.pointer.slice(1)} ${place.message}`);
  const body = {
    type: `/docs/errors#${code}`,
    title,
    status,
    code,
    detail: `${found ?? title}.`,
    requestId: REQUEST_ID,
    ...(code === 'rotation-under-way' ? { rotationId: '5b0f0a52-6c1e-4f5e-9a55-0d6c0f1f3c11' } : {}),
  };
  if (!place) return body;
  return { ...body, errors: [status === 422 ? { code, ...place } : place] };
}

const REQUEST_ID = 'c1f2a7de-3b58-4f0e-9b0c-5d8f6f3a9e21';
