import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import { document, lastOf, type Operation, type Schema } from '../document.js';
import type { Reply } from './send.js';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Holds answers against openapi.json, in which nothing may be answered that it does not name. */
export class Contract {
  readonly #ajv = new Ajv2020({ strict: false, allErrors: true });

  constructor() {
    formats.default(this.#ajv);
    this.#ajv.addFormat('int64', { type: 'number', validate: Number.isSafeInteger });
    const components = structuredClone(document.components);
    Object.values(components.schemas).forEach(close);
    this.#ajv.addSchema({ $id: 'openapi.json', components, paths: document.paths });
  }

  /** All that is wrong with an answer, in words. */
  faultsOf(operation: Operation, reply: Reply): string[] {
    const answer = operation.answers[reply.status];
    if (reply.status >= 500) return [`a ${reply.status}: ${reply.text}`];
    if (!answer) return [`a ${reply.status}, which the document does not have: ${reply.text}`];
    const { content, headers = {} } = answer;
    const missing = Object.entries(headers).filter(([name, { $ref }]) => {
      const { required } = document.components.headers[lastOf($ref)] ?? {};
      return required && reply.headers[name.toLowerCase()] === undefined;
    });
    return [
      ...missing.map(([name]) => `no ${name}`),
      ...requestIdFaults(reply),
      ...(content
        ? this.#contentFaults(content, reply)
        : reply.text === ''
          ? []
          : ['a body, where none is documented']),
      ...(reply.status < 400 ? [] : problemFaults(reply, content)),
    ];
  }

  /** Of an address that leads to no operation: a problem, like every other. */
  strayFaultsOf(reply: Reply): string[] {
    if (![400, 404, 414].includes(reply.status)) return [`a ${reply.status} from nowhere: ${reply.text}`];
    const content = { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } };
    return [...requestIdFaults(reply), ...this.#contentFaults(content, reply), ...problemFaults(reply)];
  }

  #contentFaults(content: Record<string, { schema: Schema }>, { headers, text }: Reply): string[] {
    const type = headers['content-type'] ?? '';
    const [essence = '', charset] = type.split('; ');
    if (!content[essence] || charset !== 'charset=utf-8') return [`of the type "${type}"`];
    const { schema } = content[essence];
    const answer: unknown = JSON.parse(text);
    // A list is no schema of its own in the document.
    const values = schema.type === 'array' && Array.isArray(answer) ? (answer as unknown[]) : [answer];
    const validate = this.#ajv.getSchema(`openapi.json${schema.$ref ?? schema.items?.$ref ?? ''}`);
    if (!validate) return [`of a schema that is none: ${JSON.stringify(content)}`];
    return values.flatMap((value) =>
      validate(value)
        ? []
        : (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}: ${text}`),
    );
  }
}

function requestIdFaults({ headers }: Reply): string[] {
  return UUID.test(String(headers['x-request-id'])) ? [] : [`the X-Request-Id "${String(headers['x-request-id'])}"`];
}

/** RFC 9457 §3.1: what stands in the body is what the answer is. */
function problemFaults({ status, headers, text }: Reply, content?: Record<string, { examples?: object }>): string[] {
  const body = JSON.parse(text) as Record<string, unknown>;
  const codes = content?.['application/problem+json']?.examples;
  return [
    ...(body['status'] === status ? [] : [`a body of status ${String(body['status'])}`]),
    ...(body['requestId'] === headers['x-request-id'] ? [] : ["another request's id"]),
    ...(!codes || String(body['code']) in codes
      ? []
      : [`the code ${String(body['code'])}, which the document does not have here`]),
    ...(headers['cache-control'] === 'no-store' ? [] : ['to be kept by caches']),
    ...(status === 401 && headers['www-authenticate'] === undefined ? ['a 401 without WWW-Authenticate'] : []),
    ...(/node_modules|\bat \S+ \(|prisma|postgres/i.test(text) ? [`of what is inside: ${text}`] : []),
  ];
}

/** Fields that the document does not name are none of the answer's. */
function close(schema: Schema): void {
  if (schema.properties && schema.additionalProperties === undefined) schema.additionalProperties = false;
  const inner = [...Object.values(schema.properties ?? {}), ...(schema.oneOf ?? []), ...(schema.anyOf ?? [])];
  for (const each of schema.items ? [...inner, schema.items] : inner) close(each);
}
