import fc from 'fast-check';
import { type Operation } from '../document.js';
import { nastyName, nastyText, nastyValue, oddContentType, oddHeader, RAW } from './nasty.js';
import { type Known, valueOf } from './values.js';

/** One request, as it reads in a counterexample. */
export interface Shot {
  /** Of the path's parameter, as it stands in the address. */
  parameter: string;
  query: (readonly [name: string, value: string])[];
  headers: (readonly [name: string, value: string])[];
  contentType: string | null;
  /** Text, or bytes in hex behind `hex:`. */
  body: string | null;
}

/** What the document allows. */
export function valid(operation: Operation, known: Known): fc.Arbitrary<Shot> {
  return fc
    .record({
      parameter: fc.constantFrom(...(known['@path'] ?? [''])),
      query: valueOf({ type: 'object', properties: schemasOf(operation, 'query') }, known),
      headers: valueOf({ type: 'object', properties: schemasOf(operation, 'header') }, { 'If-Match': ['*', '"x"'] }),
      body: operation.body ? valueOf(operation.body, known) : fc.constant(null),
    })
    .map(({ parameter, query, headers, body }) => ({
      parameter: encode(String(parameter)),
      query: Object.entries(query as object).flatMap(([name, value]) => parametersOf(name, value)),
      headers: Object.entries(headers as Record<string, string>),
      contentType: body === null ? null : 'application/json',
      body: body === null ? null : JSON.stringify(body),
    }));
}

/** What the document allows, but for one thing. */
export function nearlyValid(operation: Operation, known: Known): fc.Arbitrary<Shot> {
  const body = fc
    .tuple(valid(operation, known), changeOf)
    .map(([shot, change]) => ({ ...shot, body: changed(shot.body, change) }));
  const more = <Key extends keyof Shot>(name: Key, value: fc.Arbitrary<Shot[Key]>) =>
    fc.tuple(valid(operation, known), value).map(([shot, other]) => {
      const both = Array.isArray(other) ? [...(shot[name] as []), ...(other as [])] : other;
      return { ...shot, [name]: both };
    });
  const names = Object.keys(schemasOf(operation, 'query'));
  return fc.oneof(
    { arbitrary: body, weight: operation.body ? 8 : 1 },
    more(
      'query',
      fc.tuple(nastyName, nastyText).map((pair) => [pair]),
    ),
    ...(names.length > 0
      ? [
          more(
            'query',
            fc.tuple(fc.constantFrom(...names), nastyText).map((pair) => [pair, pair]),
          ),
        ]
      : []),
    more(
      'headers',
      oddHeader.map((header) => [header, header]),
    ),
    more('contentType', oddContentType),
    more('parameter', addressPart),
    more('body', text),
  );
}

/** Anything that can be sent to the operation's address. */
export function wild(): fc.Arbitrary<Shot> {
  return fc.record({
    parameter: addressPart,
    query: fc.array(fc.tuple(nastyName, nastyText), { maxLength: 4 }),
    headers: fc.array(oddHeader, { maxLength: 3 }),
    contentType: fc.oneof(fc.constantFrom(null, 'application/json'), oddContentType),
    body: fc.oneof({ arbitrary: fc.constant(null), weight: 1 }, { arbitrary: text, weight: 4 }),
  });
}

/** An object is written as its members (OpenAPI, `deepObject`). */
const parametersOf = (name: string, value: unknown): [string, string][] =>
  typeof value === 'object' && value !== null
    ? Object.entries(value).map(([member, inner]) => [`${name}[${member}]`, String(inner)])
    : [[name, String(value)]];

const schemasOf = ({ parameters }: Operation, where: string) =>
  Object.fromEntries(
    parameters.filter((parameter) => parameter.in === where).map(({ name, schema }) => [name, schema]),
  );

const text: fc.Arbitrary<string> = fc.oneof(
  nastyValue.map(written),
  fc.array(nastyValue, { maxLength: 3 }).map((items) => written({ items })),
  fc.uint8Array({ maxLength: 60 }).map((bytes) => `hex:${Buffer.from(bytes).toString('hex')}`),
  fc.constantFrom(
    '{',
    '{"a":1,"a":2}',
    '\ufeff{}',
    '{}{}',
    ' ',
    '""',
    '"\\ud800"',
    'hex:7b2261223a22eda080227d',
    'hex:7b7d00',
  ),
  fc.integer({ min: 60_000, max: 70_000 }).map((length) => written({ a: 'x'.repeat(length) })),
);

const addressPart: fc.Arbitrary<string> = fc.oneof(
  nastyText.map(encode),
  fc.constantFrom(
    '%ff',
    '%',
    '%zz',
    '%2f',
    '%00',
    '.',
    '..',
    'a;b',
    'a%20b',
    '%F0%9F%98%80',
    '%u0041',
    'a'.repeat(600),
  ),
);

interface Change {
  at: number;
  how: 'replace' | 'drop' | 'add';
  name: string;
  value: unknown;
}

const changeOf: fc.Arbitrary<Change> = fc.record({
  at: fc.nat(1_000),
  how: fc.constantFrom('replace', 'replace', 'drop', 'add'),
  name: nastyName,
  value: nastyValue,
});

/** The body with one of its values replaced, dropped, or joined by another. */
function changed(body: string | null, { at, how, name, value }: Change): string {
  if (body === null) return written(value);
  const whole = [JSON.parse(body) as unknown];
  const places: [holder: Record<string, unknown>, name: string][] = [];
  const walk = (holder: Record<string, unknown>) => {
    for (const [name, inner] of Object.entries(holder)) {
      places.push([holder, name]);
      if (typeof inner === 'object' && inner !== null) walk(inner as Record<string, unknown>);
    }
  };
  walk(whole as unknown as Record<string, unknown>);
  const [holder, key] = places[at % places.length] ?? [{}, ''];
  const inner = holder[key];
  const own = (target: object, field: string) =>
    Object.defineProperty(target, field, { value, enumerable: true, configurable: true, writable: true });
  if (how === 'drop') delete holder[key];
  else if (how === 'add' && typeof inner === 'object' && inner !== null && !Array.isArray(inner)) own(inner, name);
  else holder[key] = value;
  return written(whole[0] ?? null);
}

/** JSON, with what JSON.stringify would not write in it. */
function written(value: unknown): string {
  return JSON.stringify(value).replaceAll(RAW, (_, text: string) => text);
}

/** As bytes in percents, so that half a character goes through too. */
function encode(text: string): string {
  return [...Buffer.from(text)]
    .map((byte) =>
      /[\w.~-]/.test(String.fromCharCode(byte)) ? String.fromCharCode(byte) : `%${byte.toString(16).padStart(2, '0')}`,
    )
    .join('');
}

export const encodeQuery = (query: Shot['query']): string =>
  query.map(([name, value]) => `${encode(name)}=${encode(value)}`).join('&');
