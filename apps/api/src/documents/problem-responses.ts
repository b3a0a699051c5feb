import { getSchemaPath, type ReferenceObject, type ResponseObject } from '@nestjs/swagger';
import { type ProblemCode, problems } from '@countersign/errors';
import { Problem } from '../http/problem.dto.js';
import { headerRefs, RATE_LIMIT_HEADERS } from './headers.js';

export type Responses = Record<string, ResponseObject | ReferenceObject>;

/** The answer with one of these problems, which share a status. Where there is only one it is the same everywhere, and stands in `shared`. */
export function problemResponse(codes: ProblemCode[], shared: Responses): ResponseObject | ReferenceObject {
  const [code] = codes;
  if (code === undefined || codes.length > 1) return toResponse(codes);
  shared[code] ??= toResponse(codes);
  return { $ref: `#/components/responses/${code}` };
}

function toResponse(codes: ProblemCode[]): ResponseObject {
  const statuses = new Set<number>(codes.map((code) => problems[code].status));
  const isRetryable = statuses.has(503) || statuses.has(429) || codes.includes('upload-incomplete');
  const more = [
    ...(statuses.has(401) ? ['WWW-Authenticate'] : []),
    ...(isRetryable ? ['Retry-After'] : []),
    ...(statuses.has(429) ? RATE_LIMIT_HEADERS : []),
  ];
  const examples = Object.fromEntries(codes.map((code) => [code, { $ref: `#/components/examples/${code}` }]));
  return {
    description: codes.map((code) => `\`${code}\`: ${problems[code].title}.`).join(' '),
    headers: headerRefs('X-Request-Id', ...more),
    content: { 'application/problem+json': { schema: { $ref: getSchemaPath(Problem) }, examples } },
  };
}
