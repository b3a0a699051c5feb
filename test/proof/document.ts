import { readFileSync } from 'node:fs';

/** As far as proofs look at a schema (JSON Schema 2020-12, OpenAPI 3.1). */
export interface Schema {
  $ref?: string;
  type?: string | string[];
  format?: string;
  pattern?: string;
  enum?: unknown[];
  minimum?: number;
  maximum?: number;
  minItems?: number;
  maxItems?: number;
  maxLength?: number;
  items?: Schema;
  properties?: Record<string, Schema>;
  additionalProperties?: boolean | Schema;
  required?: string[];
  oneOf?: Schema[];
  anyOf?: Schema[];
  examples?: object[];
}

export interface Parameter {
  name: string;
  in: 'path' | 'query' | 'header';
  required: boolean;
  schema: Schema;
}

export interface Answer {
  headers?: Record<string, { $ref: string }>;
  content?: Record<string, { schema: Schema; examples?: object }>;
}

export interface Operation {
  id: string;
  method: 'get' | 'post' | 'put' | 'patch' | 'delete';
  path: string;
  /** Null of a public one. */
  scope: string | null;
  parameters: Parameter[];
  body: Schema | null;
  answers: Record<string, Answer>;
}

interface Written {
  operationId: string;
  security: { bearer?: string[] }[];
  parameters?: Parameter[];
  requestBody?: { content: { 'application/json': { schema: Schema } } };
  responses: Record<string, Answer & { $ref?: string }>;
}

/** openapi.json, as everybody else reads it: what a proof knows of the API it knows from there. */
export const document = JSON.parse(readFileSync('openapi.json', 'utf8')) as {
  paths: Record<string, Record<Operation['method'], Written>>;
  components: {
    schemas: Record<string, Schema>;
    responses: Record<string, Answer>;
    headers: Record<string, { required?: boolean; schema: Schema }>;
  };
};

/** Every operation that is documented. */
export const operations: Operation[] = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, written]) => ({
    id: written.operationId,
    method: method as Operation['method'],
    path,
    scope: written.security[0]?.bearer?.[0] ?? null,
    parameters: written.parameters ?? [],
    body: written.requestBody?.content['application/json'].schema ?? null,
    answers: Object.fromEntries(
      Object.entries(written.responses).map(([status, { $ref, ...answer }]) => [
        status,
        $ref === undefined ? answer : (document.components.responses[lastOf($ref)] ?? {}),
      ]),
    ),
  })),
);

/** The operation's address, with this value of its first parameter; those behind it are numbers, of which there is a first. */
export const addressOf = ({ path }: Operation, parameter: string): string =>
  path.replace(/\{\w+\}/, () => parameter).replaceAll(/\{\w+\}/g, '1');

/** The schema itself, where there is a reference to one. */
export function resolve(schema: Schema): Schema {
  return schema.$ref === undefined ? schema : resolve(document.components.schemas[lastOf(schema.$ref)] ?? {});
}

/** The document's own example of a request's body. */
export function exampleOf({ body }: Operation): Record<string, unknown> {
  return structuredClone((body ? (resolve(body).examples?.[0] ?? {}) : {}) as Record<string, unknown>);
}

export function lastOf(reference: string): string {
  return reference.split('/').at(-1) ?? '';
}
