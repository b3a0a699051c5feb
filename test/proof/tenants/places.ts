import { exampleOf, type Operation, operations, resolve } from '../document.js';
import { NAMES_NOTHING } from './expectations.js';

/** A place of a request where something is named that is somebody's; of an operation that has none, the request as it is. */
export interface Place {
  name: string;
  operation: Operation;
  in: 'path' | 'query' | 'body' | 'item' | 'nowhere';
  parameter: string;
}

const NAMES_SOMETHING = /^(?:bucket|key|useCase|tenants?|cursor)$|Ids?$/;

/** Every such place of every operation of the document. */
export const places: Place[] = operations.flatMap((operation) => {
  const path = operation.parameters.filter((parameter) => parameter.in === 'path').map(({ name }) => name);
  const query = operation.parameters.filter((parameter) => parameter.in === 'query').map(({ name }) => name);
  const body = operation.body ? (resolve(operation.body).properties ?? {}) : {};
  const item = body['items']?.items ? (resolve(body['items'].items).properties ?? {}) : {};
  const found: [Place['in'], sign: (name: string) => string, names: string[]][] = [
    ['path', (name) => `{${name}}`, path],
    ['query', (name) => `?${name}`, query.filter((name) => NAMES_SOMETHING.test(name))],
    ['body', (name) => `.${name}`, Object.keys(body).filter((name) => NAMES_SOMETHING.test(name))],
    ['item', (name) => `.items.${name}`, Object.keys(item).filter((name) => NAMES_SOMETHING.test(name))],
  ];
  const named = found
    .flatMap(([where, sign, names]) =>
      names.map((parameter): Place => ({
        name: `${operation.id} ${sign(parameter)}`,
        operation,
        in: where,
        parameter,
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
export function ask({ operation, in: where, parameter }: Place, value: string, more: Filled): Asked {
  const path = operation.path.replace(/\{(\w+)\}/, (_, name: string) =>
    encodeURIComponent(where === 'path' && name === parameter ? value : (more.path ?? '')),
  );
  const body = { ...exampleOf(operation), ...more.body };
  const put = { [parameter]: parameter === 'tenants' ? [value] : value };
  const [item] = (body['items'] ?? []) as object[];
  const asked = { item: { ...body, items: [{ ...item, ...more.item, ...put }] }, body: { ...body, ...put } };
  return {
    path,
    query: where === 'query' ? { [parameter]: value } : {},
    body: operation.body ? (where === 'item' ? asked.item : where === 'body' ? asked.body : body) : undefined,
  };
}

export interface Filled {
  /** Of the parameter in the path, where another place is asked about. */
  path?: string;
  body?: Record<string, unknown>;
  item?: Record<string, unknown>;
}
