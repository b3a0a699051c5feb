import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { HeadObjectCommand, ListBucketsCommand, ListObjectsV2Command, NotFound } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { BUCKET, ORIGIN, TestStore, refusal } from './store-fixture.js';

let t: TestStore;
beforeAll(async () => {
  t = await TestStore.start();
  await t.put('digits', '0123456789');
  await t.put('empty', '');
});
afterAll(() => t.stop());

describe('a download', () => {
  test('carries the disposition and type that were signed, RFC 8187 names included', async () => {
    const disposition = `attachment; filename="Bericht (1)!.pdf"; filename*=UTF-8''Bericht%20%281%29%21%27%2A%E2%82%AC.pdf`;
    const forced = { ResponseContentDisposition: disposition, ResponseContentType: 'application/pdf' };
    const response = await fetch(await t.presignGet('digits', forced));
    expect(response.status).toBe(200);
    expect(response.headers.get('content-disposition')).toBe(disposition);
    expect(response.headers.get('content-type')).toBe('application/pdf');
  });

  test('is refused when a forced header would split the response', async () => {
    // Attack: a file name with a line break adds headers and a body of the attacker's to the answer.
    const forced = { ResponseContentDisposition: 'attachment\r\nSet-Cookie: a=b' };
    expect(await refusal(fetch(await t.presignGet('digits', forced)))).toBe('400 InvalidArgument');
  });

  test.each([
    ['bytes=2-4', 206, '234', 'bytes 2-4/10'],
    ['bytes=7-', 206, '789', 'bytes 7-9/10'],
    ['bytes=-3', 206, '789', 'bytes 7-9/10'],
    ['bytes=8-99', 206, '89', 'bytes 8-9/10'],
    ['bytes=5-2', 200, '0123456789', null],
    ['bytes=a-b', 200, '0123456789', null],
    ['bytes=0-1,4-5', 200, '0123456789', null],
  ])('of the range %s gets %i', async (range, status, body, contentRange) => {
    const response = await fetch(await t.presignGet('digits'), { headers: { range } });
    expect(response.status).toBe(status);
    expect(await response.text()).toBe(body);
    expect(response.headers.get('content-range')).toBe(contentRange);
  });

  test('of a range outside the object gets 416', async () => {
    for (const [key, range] of [
      ['digits', 'bytes=10-'],
      ['empty', 'bytes=0-'],
      ['empty', 'bytes=-5'],
    ] as const) {
      const response = fetch(await t.presignGet(key), { headers: { range } });
      expect(await refusal(response)).toBe('416 InvalidRange');
    }
  });

  test('that the client has already gets 304', async () => {
    const url = await t.presignGet('digits');
    const etag = (await fetch(url)).headers.get('etag')!;
    expect((await fetch(url, { headers: { 'if-none-match': etag } })).status).toBe(304);
    expect((await fetch(url, { headers: { 'if-none-match': '"other"' } })).status).toBe(200);
    expect(await refusal(fetch(url, { headers: { 'if-match': '"other"' } }))).toBe('412 PreconditionFailed');
  });

  test('of nothing gets 404, in a bucket that is not there another one', async () => {
    expect(await refusal(fetch(await t.presignGet('nothing')))).toBe('404 NoSuchKey');
    expect(await refusal(fetch(await t.presignGet('digits', { Bucket: 'nowhere' })))).toBe('404 NoSuchBucket');
    const head = t.client.send(new HeadObjectCommand({ Bucket: BUCKET, Key: 'nothing' }));
    await expect(head).rejects.toBeInstanceOf(NotFound);
  });

  test('of an empty object is empty', async () => {
    expect(await t.read('empty')).toBe('');
    const head = await fetch(await getSignedUrl(t.client, new HeadObjectCommand({ Bucket: BUCKET, Key: 'empty' })), {
      method: 'HEAD',
    });
    expect([head.status, head.headers.get('content-length')]).toEqual([200, '0']);
  });
});

test('listing shows buckets and keys', async () => {
  const { Buckets } = await t.client.send(new ListBucketsCommand({}));
  expect(Buckets?.map(({ Name }) => Name)).toEqual([BUCKET]);
  const { Contents } = await t.client.send(new ListObjectsV2Command({ Bucket: BUCKET, Prefix: 'dig' }));
  expect(Contents).toMatchObject([{ Key: 'digits', Size: 10 }]);
});

describe('a page in a browser', () => {
  const preflight = (headers: Record<string, string>, origin = ORIGIN, method = 'PUT') =>
    fetch(`${t.store.endpoint}/${BUCKET}/any`, {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': method, ...headers },
    });

  test('of a configured origin may send the pinned headers and read the ETag', async () => {
    const pinned =
      'content-type,content-md5,content-length,if-none-match,x-amz-checksum-sha256,x-amz-meta-countersign-upload';
    const answer = await preflight({ 'access-control-request-headers': pinned });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('access-control-allow-origin')).toBe(ORIGIN);
    expect(answer.headers.get('access-control-allow-methods')).toBe('GET, HEAD, PUT');
    expect(answer.headers.get('access-control-allow-headers')).toBe(pinned.replaceAll(',', ', '));
    const read = await fetch(await t.presignGet('digits'), { headers: { origin: ORIGIN } });
    expect(read.headers.get('access-control-allow-origin')).toBe(ORIGIN);
    expect(read.headers.get('access-control-expose-headers')).toContain('ETag');
  });

  test('sees the code of a refusal', async () => {
    for (const url of [`${t.store.endpoint}/${BUCKET}/x`, await t.presignGet('nothing')]) {
      const refused = await fetch(url, { headers: { origin: ORIGIN } });
      expect(refused.headers.get('access-control-allow-origin')).toBe(ORIGIN);
    }
  });

  test('of another origin, method or header is turned away', async () => {
    // Attack: a page of the attacker's uses URLs that it got hold of in the victim's browser.
    expect(await refusal(preflight({}, 'http://evil.example'))).toBe('403 AccessForbidden');
    expect(await refusal(preflight({}, `${ORIGIN}.evil.example`))).toBe('403 AccessForbidden');
    expect(await refusal(preflight({}, ORIGIN, 'DELETE'))).toBe('403 AccessForbidden');
    expect(await refusal(preflight({ 'access-control-request-headers': 'authorization' }))).toBe('403 AccessForbidden');
    const read = await fetch(await t.presignGet('digits'), { headers: { origin: 'http://evil.example' } });
    expect(read.headers.get('access-control-allow-origin')).toBeNull();
  });
});
