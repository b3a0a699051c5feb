import { addressOf, exampleOf, type Operation, operations, resolve } from '../document.js';
import { NAMES_NOTHING } from './expectations.js';

/** A place of a request where something is named that is somebody's; of an operation that has none, the request as it is. */
export interface Place {
  name: string;
  operation: Operation;
  in: 'path' | 'query' | 'body' | 'metadata' | 'item' | 'nowhere';
  parameter: string;
}

const NAMES_SOMETHING = /^(?:bucket|key|useCase|tenants?|cursor)$|Ids?$/;

/** What is named in `metadata[bucket]` is the bucket. */
const memberOf = (name: string): string => /\[(\w+)\]$/.exec(name)?.[1] ?? name;

/** Every such place of every operation of the document. */
export const places: Place[] = operations.flatMap((operation) => {
  const path = operation.parameters.filter((parameter) => parameter.in === 'path').map(({ name }) => name);
  const query = operation.parameters.filter((parameter) => parameter.in === 'query');
  const body = operation.body ? (resolve(operation.body).properties ?? {}) : {};
  // An object in a query is written as its members.
  const queryNames = query.flatMap(({ name, schema }) => {
    const members = Object.keys(resolve(schema).properties ?? {});
    return members.length === 0 ? [name] : members.map((member) => `${name}[${member}]`);
  });
  const metadata = body['metadata'] ? Object.keys(resolve(body['metadata']).properties ?? {}) : [];
  const item = body['items']?.items ? (resolve(body['items'].items).properties ?? {}) : {};
  const found: [Place['in'], sign: (name: string) => string, names: string[]][] = [
    ['path', (name) => `{${name}}`, path],
    ['query', (name) => `?${name}`, queryNames.filter((name) => NAMES_SOMETHING.test(memberOf(name)))],
    ['body', (name) => `.${name}`, Object.keys(body).filter((name) => NAMES_SOMETHING.test(name))],
    ['metadata', (name) => `.metadata.${name}`, metadata.filter((name) => NAMES_SOMETHING.test(name))],
    ['item', (name) => `.items.${name}`, Object.keys(item).filter((name) => NAMES_SOMETHING.test(name))],
  ];
  const named = found
    .flatMap(([where, sign, names]) =>
      names.map((parameter): Place => ({
        name: `${operation.id} ${sign(parameter)}`,
        operation,
        in: where,
        parameter: where === 'query' ? memberOf(parameter) : parameter,
      })),
    )
    .filter(({ name }) => !NAMES_NOTHING.has(name));
  return named.length > 0 ? named : [{ name: operation.id, operation, in: 'nowhere', parameter: '' }];
});

export interface Asked {
  path: string;
  query: Record<string, string>;
  body: object | undefined;
}

/** The document's example of a request, with this value in this place; `more` is what the example needs to be a good one. */
export function ask({ name, operation, in: where, parameter }: Place, value: string, more: Filled): Asked {
  const inPath = where === 'path' ? value : (more.path ?? '');
  const path = addressOf(operation, encodeURIComponent(inPath));
  const body = { ...exampleOf(operation), ...more.body };
  const put = { [parameter]: parameter === 'tenants' ? [value] : value };
  const [item] = (body['items'] ?? []) as object[];
  const metadata = body['metadata'] as object | undefined;
  const asked = {
    item: { ...body, items: [{ ...item, ...more.item, ...put }] },
    metadata: { ...body, metadata: { ...metadata, ...put } },
    body: { ...body, ...put },
  };
  const named = name.split('?')[1] ?? parameter;
  return {
    path,
    query: { ...more.query, ...(where === 'query' && { [named]: value }) },
    body: operation.body ? (where in asked ? asked[where as keyof typeof asked] : body) : undefined,
  };
}

export interface Filled {
  query?: Record<string, string>;
  /** Of the parameter in the path, where another place is asked about. */
  path?: string;
  body?: Record<string, unknown>;
  item?: Record<string, unknown>;
}
