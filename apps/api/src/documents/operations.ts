import type { OpenAPIObject } from '@nestjs/swagger';
import type { OperationObject, ParameterObject } from '@nestjs/swagger';
import { type ProblemCode, problems } from '@countersign/errors';
import type { Requirement } from '@countersign/identity';
import { PROBLEMS } from '../http/api-problems.js';
import { ANSWERS_ETAG } from '../http/etag.js';
import { headerRefs, RATE_LIMIT_HEADERS } from './headers.js';
import { problemResponse, type Responses } from './problem-responses.js';

type Operation = OperationObject & { [PROBLEMS]?: ProblemCode[]; [ANSWERS_ETAG]?: true };

const METHODS = ['get', 'post', 'put', 'patch', 'delete'] as const;

const ANSWERS: Readonly<Record<string, string>> = {
  200: 'The answer.',
  201: 'What was made.',
  202: 'It has begun: follow it by its id.',
  204: 'Done. There is no body.',
};

const PATH_PARAMETERS: Readonly<Record<string, Partial<ParameterObject>>> = {
  id: { description: 'The `id` that it was answered with.', schema: { type: 'string', format: 'uuid' } },
  uploadId: { description: 'The `uploadId` that it was answered with.', schema: { type: 'string', format: 'uuid' } },
  partNumber: { description: 'Counted from 1.', schema: { type: 'integer', minimum: 1, maximum: 10_000 } },
  name: { description: 'The name that it was registered by.' },
  slug: { description: "The tenant's slug." },
};

/** What is the same for every operation of a kind, said once and not at every controller: access, headers, problems. */
export function completeOperations(document: OpenAPIObject, requirements: Map<string, Requirement>): void {
  const shared = ((document.components ??= {}).responses ??= {});
  for (const path of Object.values(document.paths)) {
    for (const method of METHODS) {
      const operation: Operation | undefined = path[method];
      if (operation) complete(operation, requirements.get(operation.operationId ?? ''), shared);
    }
  }
}

function complete(operation: Operation, requirement: Requirement | undefined, shared: Responses): void {
  const codes = problemsOf(operation, requirement);
  describeAccess(operation, requirement);
  for (const parameter of operation.parameters ?? []) {
    if ('in' in parameter && parameter.in === 'path') Object.assign(parameter, PATH_PARAMETERS[parameter.name]);
  }
  for (const [status, response] of Object.entries(operation.responses)) {
    if (!response || '$ref' in response) continue;
    response.description ||= ANSWERS[status] ?? '';
    response.headers = headerRefs(
      'X-Request-Id',
      ...(operation[ANSWERS_ETAG] ? ['ETag'] : []),
      ...(requirement ? RATE_LIMIT_HEADERS : []),
    );
  }
  for (const status of new Set(codes.map((code) => problems[code].status))) {
    operation.responses[status] = problemResponse(
      codes.filter((code) => problems[code].status === status),
      shared,
    );
  }
  delete operation[PROBLEMS];
  delete operation[ANSWERS_ETAG];
}

/** OpenAPI 3.1, "Security Requirement Object": the names of the roles that are required, here scopes. */
function describeAccess(operation: Operation, requirement: Requirement | undefined): void {
  operation.security = requirement ? [{ bearer: [requirement.scope] }] : [];
  const access = requirement ? `Scope: \`${requirement.scope}\`.` : 'Public.';
  operation.description = operation.description ? `${operation.description}\n\n${access}` : access;
}

/** Every code that an operation can answer with, in the order of the table. */
function problemsOf(operation: Operation, requirement: Requirement | undefined): ProblemCode[] {
  const takes = (place: string, name?: string) =>
    (operation.parameters ?? []).some(
      (parameter) => 'in' in parameter && parameter.in === place && (name ?? parameter.name) === parameter.name,
    );
  const ofCaller: ProblemCode[] = ['unauthenticated', 'scope-missing', 'tenant-suspended', 'rate-limited'];
  const ofFaults: ProblemCode[] = ['ledger-unavailable', 'overloaded', 'issuer-unavailable'];
  const ofBody: ProblemCode[] = ['invalid-request', 'body-too-large', 'media-type-not-supported'];
  const codes = new Set<ProblemCode>([
    ...(requirement ? [...ofCaller, ...ofFaults] : []),
    ...(operation.requestBody ? ofBody : []),
    ...(takes('query') ? (['invalid-request'] as const) : []),
    ...(takes('header', 'If-Match') ? (['precondition-failed'] as const) : []),
    ...(takes('header', 'Idempotency-Key') ? (['invalid-request', 'idempotency-key-reused'] as const) : []),
    ...(operation[PROBLEMS] ?? []),
    'internal-error',
  ]);
  return (Object.keys(problems) as ProblemCode[]).filter((code) => codes.has(code));
}
