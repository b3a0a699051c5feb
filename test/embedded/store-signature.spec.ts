import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ListObjectsV2Command } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { ACCESS_KEY, BUCKET, TestStore, clientFor, refusal } from './store-fixture.js';

let t: TestStore;
beforeAll(async () => {
  t = await TestStore.start();
  await t.put('kept', 'kept');
});
afterAll(() => t.stop());

const png = { ContentType: 'image/png', ContentLength: 5 };

describe('a presigned upload does exactly what was signed', () => {
  test('the pinned type and length are accepted, and the object is what was sent', async () => {
    const response = await fetch(await t.presignPut('a/b c+ä(1)!.png', png), {
      method: 'PUT',
      headers: { 'content-type': 'image/png' },
      body: '12345',
    });
    expect(response.status).toBe(200);
    expect(response.headers.get('etag')).toBe('"827ccb0eea8a706c4c34a16891f84e7b"');
    const read = await fetch(await t.presignGet('a/b c+ä(1)!.png'));
    expect(read.headers.get('content-type')).toBe('image/png');
    expect(await read.text()).toBe('12345');
  });

  test.each([
    ['another content type', 'text/html', '12345'],
    ['a longer body', 'image/png', '123456'],
    ['a shorter body', 'image/png', '1234'],
  ])('%s is refused and nothing is stored', async (name, type, body) => {
    // Attack: the holder of an upload URL for a small picture stores a page of HTML, or a gigabyte.
    const url = await t.presignPut(name, png);
    const upload = fetch(url, { method: 'PUT', headers: { 'content-type': type }, body });
    expect(await refusal(upload)).toBe('403 SignatureDoesNotMatch');
    expect(await t.read(name)).toBe('NoSuchKey');
  });

  test('another key, bucket, method or expiry is refused', async () => {
    // Attack: the holder of a URL for their own object edits it.
    const url = await t.presignGet('mine');
    const edited = [
      url.replace('/mine', '/kept'),
      url.replace(`/${BUCKET}/`, '/other/'),
      url.replace('X-Amz-Expires=900', 'X-Amz-Expires=90000'),
      `${url}&response-content-type=text%2Fhtml`,
    ];
    for (const each of edited) expect(await refusal(fetch(each))).toBe('403 SignatureDoesNotMatch');
    expect(await refusal(fetch(url, { method: 'DELETE' }))).toBe('403 SignatureDoesNotMatch');
    expect(await refusal(fetch(url, { method: 'PUT', body: 'x' }))).toBe('403 SignatureDoesNotMatch');
  });

  test('a header that was not signed cannot make the store copy or publish', async () => {
    // Attack: the holder of any upload URL adds x-amz-copy-source and reads whatever the signer may read.
    const headers = ['x-amz-copy-source', 'x-amz-acl', 'x-amz-meta-owner', 'x-amz-tagging', 'x-amz-date'];
    for (const header of headers) {
      const upload = fetch(await t.presignPut('copy'), { method: 'PUT', headers: { [header]: `/${BUCKET}/kept` } });
      expect(await refusal(upload)).toBe('403 AccessDenied');
    }
    expect(await t.read('copy')).toBe('NoSuchKey');
  });

  test('a header that was signed and this store does not obey is refused, not ignored', async () => {
    const publish = await t.presignPut('public', { ACL: 'public-read' });
    const upload = fetch(publish, { method: 'PUT', headers: { 'x-amz-acl': 'public-read' }, body: 'x' });
    expect(await refusal(upload)).toBe('400 AccessControlListNotSupported');
    expect(await refusal(fetch(await t.presignPut('tagged', { Tagging: 'a=b' }), { method: 'PUT', body: 'x' }))).toBe(
      '501 NotImplemented',
    );
  });
});

describe('time', () => {
  test('a URL works until its expiry and not a second longer', async () => {
    const now = Math.floor(Date.now() / 1000) * 1000;
    const signedAgo = (seconds: number) =>
      t.presignGet('kept', {}, { expiresIn: 60, signingDate: new Date(now - seconds * 1000) });
    expect((await fetch(await signedAgo(50))).status).toBe(200);
    const expired = await fetch(await signedAgo(60));
    expect(expired.status).toBe(403);
    expect(await expired.text()).toMatch(/<Code>AccessDenied<\/Code><Message>Request has expired</);
  });

  test('a URL from the future is refused', async () => {
    // Attack: whoever can sign once makes a URL that starts when they have long left.
    const tomorrow = new Date(Date.now() + 86_400_000);
    expect(await refusal(fetch(await t.presignGet('kept', {}, { signingDate: tomorrow })))).toBe('403 AccessDenied');
  });

  test.each([0, -5, 1.5, NaN])('an expiry of %p seconds is refused, though the SDK signs it', async (expiresIn) => {
    // Attack: an expiry that compares as false with everything never passes.
    expect(await refusal(fetch(await t.presignGet('kept', {}, { expiresIn })))).toBe('403 AccessDenied');
  });

  test('a signed request may be 15 minutes off, not more', async () => {
    const skewed = (minutes: number) => {
      const client = clientFor(t.store.endpoint);
      client.config.systemClockOffset = minutes * 60_000;
      return client.send(new ListObjectsV2Command({ Bucket: BUCKET }));
    };
    expect((await skewed(-14)).KeyCount).toBeGreaterThan(0);
    await expect(skewed(-16)).rejects.toMatchObject({ name: 'RequestTimeTooSkewed' });
    await expect(skewed(16)).rejects.toMatchObject({ name: 'RequestTimeTooSkewed' });
  });
});

describe('who signed', () => {
  test('nobody: every request but a preflight is refused', async () => {
    // Attack: s3rver serves any object to anyone.
    const url = `${t.store.endpoint}/${BUCKET}/kept`;
    for (const method of ['GET', 'PUT', 'DELETE', 'POST']) {
      expect(await refusal(fetch(url, { method }))).toBe('403 AccessDenied');
    }
    expect((await fetch(url, { method: 'HEAD' })).status).toBe(403);
    expect(await refusal(fetch(t.store.endpoint))).toBe('403 AccessDenied');
  });

  test("s3rver's built-in key, another secret and an unknown key are refused", async () => {
    // Attack: S3RVER/S3RVER opens every s3rver.
    const get = async (credentials: typeof ACCESS_KEY) => {
      const signer = clientFor(t.store.endpoint, credentials);
      return refusal(fetch(await getSignedUrl(signer, new ListObjectsV2Command({ Bucket: BUCKET }))));
    };
    expect(await get({ accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER' })).toBe('403 InvalidAccessKeyId');
    expect(await get({ ...ACCESS_KEY, secretAccessKey: 'guessed' })).toBe('403 SignatureDoesNotMatch');
    expect(await get({ ...ACCESS_KEY, accessKeyId: '__proto__' })).toBe('403 InvalidAccessKeyId');
  });

  test('a key that is taken away is dead at once, and its URLs with it', async () => {
    const url = await t.presignGet('kept');
    await t.change('DELETE', ACCESS_KEY);
    expect(await refusal(fetch(url))).toBe('403 InvalidAccessKeyId');
    await t.change('PUT', ACCESS_KEY);
    expect((await fetch(url)).status).toBe(200);
  });

  test('another region, a missing parameter, two signatures, SigV2 are refused', async () => {
    const url = await t.presignGet('kept');
    expect(await refusal(fetch(url.replace('us-east-1', 'eu-west-1')))).toBe('400 AuthorizationQueryParametersError');
    for (const name of ['Algorithm', 'Credential', 'Date', 'Expires', 'SignedHeaders', 'Signature']) {
      const without = url.replace(new RegExp(`X-Amz-${name}=[^&]*&?`), '');
      expect(await refusal(fetch(without))).toBe('403 AccessDenied');
    }
    const authorization =
      'AWS4-HMAC-SHA256 Credential=a/20250101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0';
    expect(await refusal(fetch(url, { headers: { authorization } }))).toBe('400 InvalidArgument');
    const v2 = `${t.store.endpoint}/${BUCKET}/kept?AWSAccessKeyId=a&Expires=9999999999&Signature=a`;
    expect(await refusal(fetch(v2))).toBe('400 InvalidRequest');
  });
});
