import fc from 'fast-check';

/** Texts that have broken something somewhere. */
const TEXTS = [
  '',
  ' ',
  '\0',
  'a\0b',
  '\ud800',
  'a\udfff',
  '\u202egnp.exe',
  'e\u0301',
  '\r\nX-Injected: 1',
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  'then',
  'undefined',
  'null',
  'NaN',
  '..',
  '../../etc/passwd',
  '%2e%2e%2f',
  '%00',
  '/',
  '\\',
  '?a=b#c',
  "' OR 1=1 --",
  '${filename}',
  '{sub}',
  '*',
  'A'.repeat(300),
  'é'.repeat(3_000),
  '2027-02-31T00:00:00Z',
  '275761-01-01T00:00:00Z',
  '0000-01-01T00:00:00Z',
  '00000000-0000-0000-0000-000000000000',
  'FFFFFFFF-FFFF-4FFF-8FFF-FFFFFFFFFFFF',
  'http://[::1]:99999/',
  'javascript:alert(1)',
];

const NUMBERS = [0, -0, -1, 1.5, 0.1 + 0.2, 1e21, 1e308, -1e308, 5e-324, 2 ** 31, 2 ** 53, 2 ** 63, -(2 ** 63)];

/** JSON that JSON.stringify does not write: it stands in a body's text in place of a string of this form. */
export const RAW = /"@raw (.*?)@"/g;
const raw = (text: string) => `@raw ${text}@`;
const RAW_VALUES = [
  '1e400',
  '-1e400',
  '1'.repeat(400),
  '0.'.padEnd(400, '1'),
  '[1',
  'NaN',
  'undefined',
  "'a'",
  '01',
].map(raw);

export const nastyText: fc.Arbitrary<string> = fc.oneof(
  { arbitrary: fc.constantFrom(...TEXTS), weight: 3 },
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 12 }).map((units) => String.fromCharCode(...units)),
);

/** Any JSON, the deep, the huge and the prototypes' names among it. */
export const nastyValue: fc.Arbitrary<unknown> = fc.oneof(
  { arbitrary: nastyText, weight: 3 },
  {
    arbitrary: fc.constantFrom<unknown>(null, true, false, [], {}, [null], [[]], ...NUMBERS, ...RAW_VALUES),
    weight: 3,
  },
  fc.jsonValue({ maxDepth: 4 }),
  fc.integer({ min: 1, max: 3_000 }).map(deep),
  fc
    .tuple(
      fc.constantFrom('__proto__', 'constructor', 'prototype', 'toString', 'length'),
      fc.jsonValue({ maxDepth: 2 }),
    )
    .map(
      // As a property of its own, as JSON.parse makes it: an assignment would set the prototype.
      ([name, value]) => Object.fromEntries([[name, value]]),
    ),
);

function deep(depth: number): unknown {
  let value: unknown = 1;
  for (let n = 0; n < depth; n++) value = n % 2 === 0 ? [value] : { a: value };
  return value;
}

/** Names that a body or query does not have. */
export const nastyName: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom(
    '__proto__',
    'constructor',
    'prototype',
    'tenantId',
    'tenant_id',
    'id',
    'toString',
    '',
    '0',
    'a/b~c',
    '\0',
  ),
  nastyText,
);

export const oddContentType: fc.Arbitrary<string> = fc.constantFrom(
  'application/json; charset=utf-16',
  'application/json; charset=latin1',
  'APPLICATION/JSON',
  'application/json;',
  'application/json; charset="utf-8"',
  'application/json, text/plain',
  'application/jsonp',
  'application/problem+json',
  'application/x-www-form-urlencoded',
  'multipart/form-data; boundary=x',
  'text/plain',
  'text/json',
  'application/octet-stream',
  '*/*',
  ';',
  'a',
);

export const oddHeader: fc.Arbitrary<readonly [string, string]> = fc.oneof(
  fc.constantFrom<readonly [string, string]>(
    ['If-Match', '*'],
    ['If-Match', '"'],
    ['If-Match', 'W/"x", "y"'],
    ['If-Match', ''],
    ['If-None-Match', '*'],
    ['If-Modified-Since', 'Mon, 01 Jan 2001 00:00:00 GMT'],
    ['X-Request-Id', 'mine'],
    ['X-Forwarded-For', '1.2.3.4, not-an-address'],
    ['Forwarded', 'for="[::1]"'],
    ['X-HTTP-Method-Override', 'DELETE'],
    ['Content-Encoding', 'gzip'],
    ['Accept', 'text/html'],
    ['Accept-Encoding', 'br;q=1.0, *;q=0'],
    ['Accept-Language', '\u00ff'],
    ['Origin', 'null'],
    ['Range', 'bytes=0-0'],
    ['Cookie', '__proto__=1'],
    ['User-Agent', 'x'.repeat(2_000)],
    ['User-Agent', 'caf\u00e9'],
    ['__proto__', 'x'],
    ['constructor', 'x'],
    ['Expect', '100-continue'],
  ),
  fc.tuple(
    fc.constantFrom('User-Agent', 'If-Match', 'X-Any', 'Referer'),
    fc.string({
      unit: fc.integer({ min: 0x21, max: 0xff }).map((code) => String.fromCharCode(code === 0x7f ? 0x21 : code)),
      maxLength: 60,
    }),
  ),
);
