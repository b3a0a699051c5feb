import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { install, type Installation, type Tenant } from '../support/installation.js';
import { answersTo, type RawAnswer } from './limits/raw.js';
import { proof } from './record.js';

const bounded = proof(
  'What is larger, deeper, longer or vaguer than a request may be is refused by a problem that names the limit, to the byte',
  'bodies, batches, headers, addresses, depths and numbers of values at the limit and one beyond; names of prototypes; lengths that contradict each other, and a second request hidden behind them; Expect, Upgrade, CONNECT, HTTP/2',
  'one byte, item, value or level more than each limit; insecureHTTPParser; no checkExpectation; what Node says without a Host',
);

const BODY_LIMIT = 65_536;
const BATCH_LIMIT = 24_576_000;
const HEAD_LIMIT = 16_384;

describe('A request', () => {
  let installation: Installation;
  let tenant: Tenant;
  let port: number;
  let cases = 0;

  beforeAll(async () => {
    installation = await install();
    tenant = await installation.createTenant();
    await tenant.grant({ subject: { type: 'everyone' }, prefix: '' });
    ({ port } = installation.app.getHttpServer().address() as AddressInfo);
  });
  afterAll(() => installation.close());
  afterAll(() => bounded.record({ cases, figure: `${cases} of ${cases} answered as documented, 0 by a 5xx` }));

  const wish = { bucket: 'files', key: 'a' };
  const head = (path: string, ...more: string[]) =>
    [
      `POST ${path} HTTP/1.1`,
      'Host: a',
      'Connection: close',
      `Authorization: Bearer ${tenant.token('alice')}`,
      'Content-Type: application/json',
      ...more,
      '\r\n',
    ].join('\r\n');
  const declared = (path: string, body: string) => [head(path, `Content-Length: ${Buffer.byteLength(body)}`), body];
  const inChunks = (path: string, body: string) => [
    head(path, 'Transfer-Encoding: chunked'),
    ...(body.match(/[^]{1,1000000}/g) ?? []).map((piece) => `${piece.length.toString(16)}\r\n${piece}\r\n`),
    '0\r\n\r\n',
  ];

  /** The one answer to these bytes. */
  async function answerTo(...pieces: (string | Buffer)[]): Promise<RawAnswer> {
    const answers = await answersTo(port, ...pieces);
    expect(answers).toHaveLength(1);
    cases++;
    return answers[0] as RawAnswer;
  }

  async function expectProblem(pieces: string[], status: number, code: string, ...named: (string | RegExp)[]) {
    const answer = await answerTo(...pieces);
    expect(answer.head).toMatch(/content-type: application\/problem\+json; charset=utf-8/);
    expect(JSON.parse(answer.body)).toMatchObject({ status, code });
    expect(answer.status).toBe(status);
    for (const each of named) expect(answer.body).toMatch(each);
  }

  describe.each([
    ['with its length', declared],
    ['in chunks', inChunks],
  ])('%s', (_, send) => {
    it('is served with a body of 65,536 bytes, and refused with one more', async () => {
      const body = JSON.stringify(wish);
      expect((await answerTo(...send('/download-url', body.padEnd(BODY_LIMIT)))).status).toBe(201);
      const beyond = send('/download-url', body.padEnd(BODY_LIMIT + 1));
      await expectProblem(beyond, 413, 'body-too-large', `${BODY_LIMIT} bytes`);
    });

    it('is served with a batch of 24,000 KiB, and refused with one byte more', async () => {
      const body = JSON.stringify({ items: [wish] });
      expect((await answerTo(...send('/download-urls', body.padEnd(BATCH_LIMIT)))).status).toBe(200);
      const beyond = send('/download-urls', body.padEnd(BATCH_LIMIT + 1));
      await expectProblem(beyond, 413, 'body-too-large', `${BATCH_LIMIT} bytes`);
    });
  });

  it('is served with 1,000 items, and refused with 1,001', async () => {
    const items = (count: number) => JSON.stringify({ items: Array.from({ length: count }, () => wish) });
    for (const [path, good] of [
      ['/download-urls', 200],
      ['/upload-urls', 200],
    ] as const) {
      expect((await answerTo(...declared(path, items(1_000)))).status).toBe(good);
      await expectProblem(declared(path, items(1_001)), 400, 'invalid-request', '"/items"', '1000');
    }
  });

  it('is read with 50,000 values, and refused with more', async () => {
    // Attack: three bytes each, of which JSON.parse makes an object of ten times that.
    const valued = (items: number) => `{"items":[${'[],'.repeat(items - 1)}[]],"more":1${' '.repeat(1_048_576)}}`;
    await expectProblem(declared('/download-urls', valued(24_999)), 400, 'invalid-request', '"/items"', '"/more"');
    await expectProblem(declared('/download-urls', valued(25_000)), 400, 'invalid-request', 'more than 50000 values');
  });

  it('is refused where its body is nested more than 16 deep, or names a prototype', async () => {
    const nested = (depth: number) => `{"more":${'['.repeat(depth - 1)}${']'.repeat(depth - 1)}}`;
    await expectProblem(declared('/download-url', nested(16)), 400, 'invalid-request', 'is not a field');
    await expectProblem(declared('/download-url', nested(17)), 400, 'invalid-request', 'more than 16 deep');
    await expectProblem(declared('/download-url', '['.repeat(BODY_LIMIT)), 400, 'invalid-request');
    for (const name of ['__proto__', 'constructor', 'prototype', 'toString', '__defineGetter__']) {
      const body = JSON.stringify(wish).replace('}', `,"${name}":{"key":"b"}}`);
      await expectProblem(declared('/download-url', body), 400, 'invalid-request', `"/${name}"`);
      const inside = JSON.stringify(wish).replace('}', `,"more":{"${name}":1}}`);
      await expectProblem(declared('/download-url', inside), 400, 'invalid-request', `"/more/${name}"`);
    }
  });

  it('is served with 16,383 bytes in its address and headers, and refused with one more', async () => {
    // Node counts the address, the names and the values, and nothing between them.
    const fixed = '/healthz'.length + 'Hosta'.length + 'Connectionclose'.length + 'Any'.length;
    const ofHeaders = (bytes: number) =>
      `GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\nAny: ${'a'.repeat(bytes - fixed)}\r\n\r\n`;
    const ofAddress = (bytes: number) =>
      `GET /healthz?${'a'.repeat(bytes - fixed + 2)} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`;
    for (const sized of [ofHeaders, ofAddress]) {
      expect((await answerTo(sized(HEAD_LIMIT - 1))).status).toBe(200);
      await expectProblem([sized(HEAD_LIMIT)], 400, 'invalid-request', `${HEAD_LIMIT} bytes`);
    }
  });

  it('is refused where its length can be read in two ways, and what hides behind it is never answered', async () => {
    // Attack: a proxy goes by one length and we by the other; the rest is taken for the next client's request.
    const hidden = 'GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n';
    const chunked = `0\r\n\r\n${hidden}`;
    const forms: [string[], string][] = [
      [['Content-Length: 4', 'Transfer-Encoding: chunked'], chunked],
      [['Transfer-Encoding: chunked', 'Content-Length: 4'], chunked],
      [['Transfer-Encoding: xchunked'], chunked],
      [['Transfer-Encoding: chunked, identity'], chunked],
      [['Transfer-Encoding: identity'], chunked],
      [['Transfer-Encoding : chunked'], chunked],
      [['Transfer-Encoding:\x0bchunked'], chunked],
      [['Transfer-Encoding: chunked\x00'], chunked],
      [['Content-Length: 0', 'Content-Length: 35'], hidden],
      [['Content-Length: 0, 35'], hidden],
      [['Content-Length: +0'], hidden],
      [['Content-Length: -1'], hidden],
      [['Content-Length: 0x0'], hidden],
      [['Content-Length: 18446744073709551616'], hidden],
      [['Content-Length : 0'], hidden],
      [['Any: a\nContent-Length: 0'], hidden],
      [['Any: a\rContent-Length: 0'], hidden],
      [['Any: a\r\n Content-Length: 0', 'Content-Length: 0', 'Content-Length: 35'], hidden],
      [['Transfer-Encoding: chunked'], `-1\r\n\r\n${hidden}`],
      [['Transfer-Encoding: chunked'], `fffffffffffffffff\r\n\r\n${hidden}`],
      [['Transfer-Encoding: chunked'], `0x0\r\n\r\n${hidden}`],
      [['Transfer-Encoding: chunked'], `1\nx\r\n0\r\n\r\n${hidden}`],
      [['Transfer-Encoding: chunked'], `1\r\nxx0\r\n\r\n${hidden}`],
      [['Transfer-Encoding: chunked'], `1;${'a'.repeat(20_000)}\r\n{\r\n0\r\n\r\n${hidden}`],
    ];
    for (const [headers, rest] of forms) {
      const pieces = [head('/download-url', ...headers).replace('Connection: close', 'Connection: keep-alive'), rest];
      await expectProblem(pieces, 400, 'invalid-request');
    }
  });

  it('is answered by a problem or as ever where it asks for another protocol', async () => {
    const get = (...more: string[]) =>
      ['GET /healthz HTTP/1.1', 'Host: a', 'Connection: close', ...more, '\r\n'].join('\r\n');
    expect((await answerTo(get('Expect: a-miracle'))).status).toBe(200);
    expect((await answerTo(get('Upgrade: websocket').replace('close', 'upgrade, close'))).status).toBe(200);
    expect((await answerTo(get().replace('HTTP/1.1', 'HTTP/1.0'))).status).toBe(200);
    expect(await answerTo(get().replace('GET', 'HEAD'))).toMatchObject({ status: 200, body: '' });
    await expectProblem(['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'], 400, 'invalid-request');
    await expectProblem([get().replace('1.1', '9.9')], 400, 'invalid-request');
    await expectProblem([get().replace('GET', 'EVAL')], 400, 'invalid-request');
    await expectProblem([get().replace('Host: a\r\n', '')], 400, 'invalid-request');
    // Nobody tunnels through us: the connection ends without a word.
    expect(await answersTo(port, 'CONNECT example.com:443 HTTP/1.1\r\nHost: a\r\n\r\n')).toEqual([]);
    const [goOn, answer] = await answersTo(
      port,
      head('/download-url', 'Expect: 100-continue', `Content-Length: ${BODY_LIMIT + 1}`),
    );
    expect([goOn?.status, answer?.status]).toEqual([100, 413]);
  });
});
