import { readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { CopyObjectCommand, DeleteObjectsCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import { Sha256 } from '@smithy/core/checksum';
import { HttpRequest } from '@smithy/protocol-http';
import { SignatureV4 } from '@smithy/signature-v4';
import { ACCESS_KEY, BUCKET, TestStore, refusal } from './store-fixture.js';

let t: TestStore;
beforeAll(async () => {
  t = await TestStore.start();
  await writeFile(path.join(t.dir, 'secret._S3rver_object'), 'outside of every bucket');
});
afterAll(() => t.stop());

/** Signs a path exactly as it stands, as a signer with a bug would, and sends it without a client's clean-up. */
async function sendRaw(method: string, rawPath: string, body = ''): Promise<string> {
  const host = `127.0.0.1:${t.store.port}`;
  const signer = new SignatureV4({
    service: 's3',
    region: 'us-east-1',
    credentials: ACCESS_KEY,
    uriEscapePath: false,
    applyChecksum: true,
    sha256: Sha256,
  });
  const unsigned = new HttpRequest({ method, path: rawPath, headers: { host }, body, hostname: '127.0.0.1' });
  const { headers } = await signer.sign(unsigned);
  const lines = Object.entries({ ...headers, 'content-length': body.length }).map(
    ([name, value]) => `${name}: ${value}`,
  );
  return t.send(`${method} ${rawPath} HTTP/1.1\r\n${lines.join('\r\n')}\r\nConnection: close\r\n\r\n${body}`);
}

describe('a key', () => {
  test.each([
    '/photos/../secret',
    '/photos/%2e%2e/secret',
    '/photos/%2E%2E%2Fsecret',
    '/photos/a/..%2f..%2fsecret',
    '/photos/a/%2e./../secret',
    '/photos/./a',
    '/photos/a//b',
    '/photos/a/',
    '/photos//etc/passwd',
    '/photos/a%00b',
    '/photos/a%0d%0ab',
    '/photos/a%5C..%5Cb',
    '/photos/a._S3rver_object',
    '/../secret',
    '/%2e%2e/secret',
    '//photos/a',
    '/photos/%',
    '/photos/%zz',
    '/photos/%c0%ae%c0%ae/secret',
    '/photos/%ff',
  ])('such as %s is refused even when it is signed, read or written', async (rawPath) => {
    // Attack: whoever can make the signer sign a key of their choice walks out of the bucket's directory.
    expect(await sendRaw('GET', rawPath)).toMatch(/^HTTP\/1.1 400 .*<Code>Invalid(Argument|URI|BucketName)</s);
    expect(await sendRaw('PUT', rawPath, 'x')).toMatch(/^HTTP\/1.1 400 /);
    expect(await readdir(t.dir)).toEqual([
      'access-keys.json',
      'buckets',
      'secret._S3rver_object',
      'staging',
      'uploads',
    ]);
  });

  test('that is encoded twice is decoded once', async () => {
    expect(await sendRaw('PUT', '/photos/%252e%252e/%252Fetc', 'x')).toMatch('HTTP/1.1 200');
    const { Contents } = await t.client.send(new ListObjectsV2Command({ Bucket: BUCKET }));
    expect(Contents?.map(({ Key }) => Key)).toEqual(['%2e%2e/%2Fetc']);
  });

  test('that is too long for S3, or for a file name, gets a plain answer', async () => {
    expect(await sendRaw('PUT', `/photos/${'a/'.repeat(512)}b`, 'x')).toContain('KeyTooLongError');
    expect(await sendRaw('PUT', `/photos/${'a'.repeat(231)}`, 'x')).toContain('KeyTooLongError');
    expect(await sendRaw('PUT', `/photos/${'a'.repeat(230)}`, 'x')).toMatch('HTTP/1.1 200');
  });
});

test('a parameter that occurs twice is refused, in whatever case', async () => {
  // Attack: the signature is checked with one of the two, and the store obeys the other.
  const url = await t.presignGet('a', { ResponseContentType: 'image/png' });
  for (const second of ['response-content-type=text/html', 'x-amz-expires=9', 'X-Amz-Expires=900']) {
    expect(await refusal(fetch(`${url}&${second}`))).toBe('400 InvalidArgument');
  }
});

describe('what s3rver does wrongly is not offered', () => {
  test('copying, POST forms, bulk removal, policies and the like get 501', async () => {
    // Attack: s3rver's copy reads `../`, its form ignores the policy, its bulk removal takes any path.
    const copy = t.client.send(new CopyObjectCommand({ Bucket: BUCKET, Key: 'a', CopySource: `${BUCKET}/b` }));
    await expect(copy).rejects.toMatchObject({ name: 'NotImplemented' });
    const bulk = new DeleteObjectsCommand({ Bucket: BUCKET, Delete: { Objects: [{ Key: '../secret' }] } });
    await expect(t.client.send(bulk)).rejects.toMatchObject({ name: 'NotImplemented' });
    for (const [method, target] of [
      ['POST', '/photos'],
      ['PUT', '/elsewhere'],
      ['DELETE', '/photos'],
      ['PATCH', '/photos/a'],
    ] as const) {
      expect(await sendRaw(method, target)).toContain('NotImplemented');
    }
    for (const subresource of ['website', 'cors', 'acl', 'tagging']) {
      const url = await t.presignGet('a');
      expect(await refusal(fetch(`${url}&${subresource}=`))).toBe('403 SignatureDoesNotMatch');
    }
    expect(await refusal(fetch(await t.presignGet('a', { VersionId: '1' })))).toBe('501 NotImplemented');
  });
});

describe('nothing ends the process', () => {
  test('broken requests get an answer, and the next request is served', async () => {
    const before = t.store.processId;
    const url = new URL(await t.presignGet('a'));
    const search = url.search;
    const requests = [
      'nonsense\r\n\r\n',
      `GET * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`,
      `GET http://other/photos/a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`,
      `GET /photos/a?%zz=%zz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`,
      `GET /photos/a?a=1&a=2 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`,
      `GET /photos/a?${'a'.repeat(40_000)} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`,
      `GET /photos/a${search.replace(/Date=\w+/, 'Date=20250231T000000Z')} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`,
      `GET /photos/a${search.replace('=host', '=host%3B__proto__')} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`,
      `GET /photos/a HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: AWS4-HMAC-SHA256 \r\n\r\n`,
      `GET /photos/a HTTP/1.1\r\nHost: x\r\nConnection: close\r\nRange: bytes=\r\nAuthorization: Basic x\r\n\r\n`,
      `GET /photos/\xff HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`,
      `POST /photos/a?uploadId=..%2f.. HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx`,
    ];
    for (const request of requests) expect(await t.send(request)).toMatch(/^HTTP\/1.1 4\d\d /);
    expect((await t.client.send(new ListObjectsV2Command({ Bucket: BUCKET }))).$metadata.httpStatusCode).toBe(200);
    expect(t.store.processId).toBe(before);
  });
});
