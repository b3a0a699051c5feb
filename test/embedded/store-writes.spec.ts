import { createHash } from 'node:crypto';
import { once } from 'node:events';
import http from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { DeleteObjectCommand, HeadObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { BUCKET, TestStore, refusal } from './store-fixture.js';

let t: TestStore;
beforeAll(async () => {
  t = await TestStore.start();
});
afterAll(() => t.stop());

/** An upload that stops in the middle until it is told to finish. */
class HeldUpload {
  readonly #request: http.ClientRequest;
  readonly #status: Promise<number | undefined>;

  constructor(
    url: string,
    headers: Record<string, string>,
    private readonly body: string,
  ) {
    const length = { 'content-length': Buffer.byteLength(body) };
    this.#request = http.request(url, { method: 'PUT', headers: { ...headers, ...length }, agent: false });
    this.#status = once(this.#request, 'response').then(
      ([answer]) => (answer as http.IncomingMessage).resume().statusCode,
    );
    this.#request.write(body.slice(0, 1));
  }

  finish(): Promise<number | undefined> {
    this.#request.end(this.body.slice(1));
    return this.#status;
  }
}

describe('If-None-Match: * makes an upload URL single-use', () => {
  const once = { IfNoneMatch: '*' };
  const headers = { 'if-none-match': '*' };

  test('a second upload gets 412 and changes nothing', async () => {
    // Attack: whoever finds the URL in a log replaces the object.
    const url = await t.presignPut('once', once);
    expect((await fetch(url, { method: 'PUT', headers, body: 'first' })).status).toBe(200);
    expect(await refusal(fetch(url, { method: 'PUT', headers, body: 'second' }))).toBe('412 PreconditionFailed');
    expect(await refusal(fetch(url, { method: 'PUT', body: 'second' }))).toBe('403 SignatureDoesNotMatch');
    expect(await t.read('once')).toBe('first');
  });

  test('of twenty simultaneous uploads exactly one succeeds, and the object is that one', async () => {
    // Attack: two uploads that both began while there was no object.
    const url = await t.presignPut('race', once);
    const bodies = Array.from({ length: 20 }, (_, index) => `${index}`.repeat(50_000));
    const uploads = bodies.map((body) => new HeldUpload(url, headers, body));
    await t.untilStaged(20);
    const statuses = await Promise.all(uploads.map((upload) => upload.finish()));
    expect(statuses.filter((status) => status === 200)).toHaveLength(1);
    expect(statuses.filter((status) => status === 412)).toHaveLength(19);
    expect(await t.read('race')).toBe(bodies[statuses.indexOf(200)]);
  });

  test('an upload that breaks off leaves no object, no file, and the key free', async () => {
    const url = new URL(await t.presignPut('broken', once));
    const head = `PUT ${url.pathname}${url.search} HTTP/1.1\r\nHost: ${url.host}\r\nIf-None-Match: *\r\n`;
    await t.send(`${head}Content-Length: 1000\r\n\r\nonly this`, { thenClose: true });
    expect(await t.read('broken')).toBe('NoSuchKey');
    expect((await fetch(url, { method: 'PUT', headers, body: 'whole' })).status).toBe(200);
    expect(await t.read('broken')).toBe('whole');
    await t.untilStaged(0);
  });

  test('an upload under way does not hold the key', async () => {
    // Attack: the holder of a URL starts an upload and never ends it, so that nobody else can write the object.
    const url = await t.presignPut('held', once);
    const slow = new HeldUpload(url, headers, 'slow!');
    await t.untilStaged(1);
    expect((await fetch(url, { method: 'PUT', headers, body: 'quick' })).status).toBe(200);
    expect(await slow.finish()).toBe(412);
    expect(await t.read('held')).toBe('quick');
  });
});

describe('a body is what was promised, or is not stored', () => {
  const digest = (algorithm: string, body: string) => createHash(algorithm).update(body).digest('base64');

  test.each([
    ['Content-MD5', { ContentMD5: digest('md5', 'right') }, 'content-md5', '400 BadDigest'],
    [
      'x-amz-checksum-sha256',
      { ChecksumSHA256: digest('sha256', 'right') },
      'x-amz-checksum-sha256',
      '400 XAmzContentChecksumMismatch',
    ],
  ])('%s is verified', async (name, input, header, expected) => {
    // Attack: the holder of a URL for one exact content stores another of the same length.
    const url = await t.presignPut(name, input);
    const headers = { [header]: Object.values(input)[0]! };
    expect(await refusal(fetch(url, { method: 'PUT', headers, body: 'wrong' }))).toBe(expected);
    expect(await t.read(name)).toBe('NoSuchKey');
    expect((await fetch(url, { method: 'PUT', headers, body: 'right' })).status).toBe(200);
  });

  test('a checksum in the query, where the SDK likes to put it, is verified too', async () => {
    const input = { ChecksumSHA256: digest('sha256', 'right') };
    const url = await t.presignPut('hoisted', input, { unhoistableHeaders: new Set() });
    expect(url).toContain('x-amz-checksum-sha256');
    expect(await refusal(fetch(url, { method: 'PUT', body: 'wrong' }))).toBe('400 XAmzContentChecksumMismatch');
  });

  test('the SHA-256 in a signed request is verified', async () => {
    // Attack: somebody between client and store replaces the body and leaves the signature.
    t.client.middlewareStack.add(
      (next) => (args) => {
        (args.request as { body: string }).body = 'wrong';
        return next(args);
      },
      { step: 'finalizeRequest', priority: 'low', name: 'tamper' },
    );
    const put = t.client.send(new PutObjectCommand({ Bucket: BUCKET, Key: 'tampered', Body: 'right' }));
    await expect(put).rejects.toMatchObject({ name: 'XAmzContentSHA256Mismatch' });
    t.client.middlewareStack.remove('tamper');
    expect(await t.read('tampered')).toBe('NoSuchKey');
  });

  test('bytes beyond the signed length are not part of the object', async () => {
    const url = new URL(await t.presignPut('exact', { ContentLength: 3 }));
    await t.send(`PUT ${url.pathname}${url.search} HTTP/1.1\r\nHost: ${url.host}\r\nContent-Length: 3\r\n\r\nabcdefgh`);
    // The rest is no request, so that the store hangs up: before or after it has stored the object.
    expect(['abc', 'NoSuchKey']).toContain(await t.read('exact'));
  });

  test('a body without a length is refused', async () => {
    // Attack: chunked transfer goes around a signed Content-Length.
    const chunked = 'Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n0\r\n\r\n';
    for (const [input, expected] of [
      [{ ContentLength: 3 }, '403'],
      [{}, '411'],
    ] as const) {
      const url = new URL(await t.presignPut('chunked', input));
      const head = `PUT ${url.pathname}${url.search} HTTP/1.1\r\nHost: ${url.host}\r\n`;
      expect(await t.send(head + chunked)).toMatch(`HTTP/1.1 ${expected}`);
      expect(await t.send(`${head}Content-Length: 3\r\n${chunked}`)).toMatch('HTTP/1.1 400');
    }
    expect(await t.read('chunked')).toBe('NoSuchKey');
  });
});

test('a large body goes through, and comes back the same', async () => {
  const body = Buffer.alloc(20_000_000, 'countersign');
  await t.client.send(new PutObjectCommand({ Bucket: BUCKET, Key: 'large', Body: body }));
  const read = await fetch(await t.presignGet('large'));
  expect(Buffer.from(await read.arrayBuffer()).equals(body)).toBe(true);
});

test('overwriting without the condition replaces content, ETag, type and metadata together', async () => {
  await t.client.send(
    new PutObjectCommand({ Bucket: BUCKET, Key: 'v', Body: '1', ContentType: 'a/a', Metadata: { note: 'n' } }),
  );
  await t.client.send(new PutObjectCommand({ Bucket: BUCKET, Key: 'v', Body: '22', ContentType: 'b/b' }));
  const head = await t.client.send(new HeadObjectCommand({ Bucket: BUCKET, Key: 'v' }));
  expect(head).toMatchObject({ ContentLength: 2, ContentType: 'b/b', Metadata: {} });
  expect(head.ETag).toBe(`"${createHash('md5').update('22').digest('hex')}"`);
});

test('a removed object is gone, and removing it again is no error', async () => {
  await t.put('folder/gone', 'x');
  const remove = () => t.client.send(new DeleteObjectCommand({ Bucket: BUCKET, Key: 'folder/gone' }));
  expect((await remove()).$metadata.httpStatusCode).toBe(204);
  expect((await remove()).$metadata.httpStatusCode).toBe(204);
  expect(await t.read('folder/gone')).toBe('NoSuchKey');
});
