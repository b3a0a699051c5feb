import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { install, type Installation, storeBucket, type Tenant } from '../../support/installation.js';
import { callsBy } from '../calls.js';
import { LITERAL_KEYS } from '../literal-keys.js';

describe('POST /upload-url answers 201', () => {
  let installation: Installation;
  let tenant: Tenant;
  const location = storeBucket();
  const root = `${String(location['endpoint'])}/${String(location['bucket'])}/${String(location['keyPrefix'])}`;

  beforeAll(async () => {
    installation = await install();
    tenant = await installation.createTenant(location);
    await tenant.grant({ subject: { type: 'everyone' }, prefix: 'users/{sub}/' });
    await tenant.grant({ subject: { type: 'user', id: 'alice' }, prefix: '' });
    const drafts = { action: 'write', minExpirySeconds: 1, defaultExpirySeconds: 30, maxExpirySeconds: 60 };
    await callsBy(installation.api, tenant.admin)
      .put('/use-cases/drafts', { ...drafts, overwrite: true })
      .expect(201);
  });
  afterAll(() => installation.close());

  async function issue(body: object, by = tenant, subject = 'alice') {
    const wish = { bucket: 'files', contentType: 'text/plain', contentLength: 5, ...body };
    const { body: issued, headers } = await callsBy(installation.api, by.token(subject))
      .post('/upload-url', wish)
      .expect(201);
    return { issued, headers, query: new URL(issued.url).searchParams };
  }

  const put = (issued: { url: string; headers: Record<string, string> }, body: string) =>
    fetch(issued.url, { method: 'PUT', headers: issued.headers, body });

  it('with a URL that uploads exactly these bytes, and a ledger row without its query', async () => {
    const { issued, headers } = await issue({ key: 'users/bob/a.txt' }, tenant, 'bob');

    expect(headers['cache-control']).toBe('no-store');
    expect(issued).toEqual({
      issuanceId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      uploadId: issued.issuanceId,
      method: 'PUT',
      url: expect.any(String),
      headers: {
        'content-type': 'text/plain',
        'if-none-match': '*',
        'x-amz-acl': 'private',
        'x-amz-meta-countersign-upload': issued.uploadId,
      },
      mode: 'put',
      overwriteProtected: true,
      bucket: 'files',
      key: 'users/bob/a.txt',
      useCase: 'upload',
      contentLength: 5,
      issuedAt: expect.stringMatching(/:\d\d\.000Z$/),
      expiresAt: expect.stringMatching(/:\d\d\.000Z$/),
      expiresInSeconds: 900,
      expiryLimitedBy: null,
    });
    expect((await put(issued, 'hello')).status).toBe(200);

    const [event, ...others] = await tenant.events({ key: 'users/bob/a.txt' });
    expect(others).toEqual([]);
    expect(event).toMatchObject({
      action: 'upload-url',
      decision: 'granted',
      issuanceId: issued.issuanceId,
      subject: 'bob',
      expiresAt: issued.expiresAt,
      contentType: 'text/plain',
      contentLength: 5,
      details: { method: 'PUT', overwrite: false },
      url: `${root}users/bob/a.txt`,
    });
  });

  it('with type, length, privacy and no-overwrite inside the signature', async () => {
    const { issued, query } = await issue({ key: 'signed.txt' });
    expect(query.get('X-Amz-SignedHeaders')).toBe(
      'content-length;content-type;host;if-none-match;x-amz-acl;x-amz-meta-countersign-upload',
    );
    expect(query.get('X-Amz-Date')).toBe(issued.issuedAt.replace(/[-:]|\.000/g, ''));
    expect(query.get('X-Amz-Expires')).toBe('900');
    // Attack: the holder sends something else than what was allowed.
    expect((await put(issued, 'hello!')).status).toBe(403);
    const without = (name: string, value?: string) => {
      const { [name]: _, ...headers } = issued.headers;
      return put({ url: issued.url, headers: value === undefined ? headers : { ...headers, [name]: value } }, 'hello');
    };
    for (const name of Object.keys(issued.headers)) expect((await without(name)).status).toBe(403);
    expect((await without('content-type', 'text/html')).status).toBe(403);
    expect((await without('x-amz-acl', 'public-read')).status).toBe(403);
    expect((await put({ ...issued, url: issued.url.replace('signed.txt', 'other.txt') }, 'hello')).status).toBe(403);
    expect((await put(issued, 'hello')).status).toBe(200);
    expect((await put(issued, 'HELLO')).status).toBe(412);
  });

  it('that may overwrite where that was asked for and the use case allows it', async () => {
    const { issued, query } = await issue({ key: 'draft.txt', useCase: 'drafts', overwrite: true });
    const pinned = { 'x-amz-meta-countersign-upload': issued.uploadId };
    expect(issued.headers).toEqual({ 'content-type': 'text/plain', 'x-amz-acl': 'private', ...pinned });
    expect(query.get('X-Amz-SignedHeaders')).toBe(
      'content-length;content-type;host;x-amz-acl;x-amz-meta-countersign-upload',
    );
    expect(issued.overwriteProtected).toBe(false);
    expect(issued.expiresInSeconds).toBe(30);
    expect([(await put(issued, 'first')).status, (await put(issued, 'again')).status]).toEqual([200, 200]);
    // Allowed is not asked for.
    const { issued: once } = await issue({ key: 'draft.txt', useCase: 'drafts' });
    expect(once.headers['if-none-match']).toBe('*');
    expect((await put(once, 'third')).status).toBe(412);
  });

  it('with the checksum as a signed header that the client must send', async () => {
    const checksumSha256 = createHash('sha256').update('hello').digest('base64');
    const { issued, query } = await issue({ key: 'sum.txt', checksumSha256 });
    expect(issued.headers['x-amz-checksum-sha256']).toBe(checksumSha256);
    expect(query.get('X-Amz-SignedHeaders')?.split(';')).toContain('x-amz-checksum-sha256');
    expect([...query.keys()].filter((name) => /checksum/i.test(name))).toEqual([]);
    const [event] = await tenant.events({ key: 'sum.txt' });
    expect(event?.['details']).toEqual({ method: 'PUT', overwrite: false, checksumSha256 });
    expect((await put(issued, 'hello')).status).toBe(200);
  });

  it('with the key made of prefix and filename', async () => {
    const made = async (name: object) => (await issue(name)).issued.key;
    await expect(made({ filename: 'a b.txt' })).resolves.toBe('a b.txt');
    await expect(made({ prefix: '', filename: 'ü.txt' })).resolves.toBe('ü.txt');
    await expect(made({ prefix: 'x/y/', filename: 'z' })).resolves.toBe('x/y/z');
  });

  // Attack: a page with script in it, opened in the origin of the bucket, by whomever its URL was shown to.
  it.each(['text/html', 'IMAGE/SVG+XML', 'application/xhtml+xml; charset=utf-8', 'text/javascript', 'application/xml'])(
    'that stores %s as an attachment',
    async (contentType) => {
      const { issued, query } = await issue({ key: 'active', contentType });
      expect(issued.headers).toMatchObject({ 'content-type': contentType, 'content-disposition': 'attachment' });
      expect(query.get('X-Amz-SignedHeaders')?.split(';')).toContain('content-disposition');
    },
  );

  it('for the content type to the byte, parameters and case included', async () => {
    const contentType = 'Multipart/Mixed;  boundary="a b; c"';
    expect((await issue({ key: 'typed', contentType })).issued.headers['content-type']).toBe(contentType);
  });

  it('without an ACL where the bucket says so, as AWS needs it', async () => {
    const aws = await installation.createTenant({
      endpoint: undefined,
      forcePathStyle: undefined,
      bucket: 'my-bucket',
    });
    await aws.grant({ subject: { type: 'everyone' }, prefix: '' });
    const { issued } = await issue({ key: 'a' }, aws);
    const pinned = { 'x-amz-meta-countersign-upload': issued.uploadId };
    expect(issued.headers).toEqual({ 'content-type': 'text/plain', 'if-none-match': '*', ...pinned });
    expect(new URL(issued.url).host).toBe('my-bucket.s3.us-east-1.amazonaws.com');
  });

  it('with the expiry of the credential where that comes first, and says so', async () => {
    const ends = new Date(Math.floor(Date.now() / 1000) * 1000 + 300_000);
    const session = { accessKeyId: 'ASIASESSION', secretAccessKey: 'secret-of-a-session', sessionToken: 'session' };
    const brief = await installation.createTenant({ credentials: { ...session, expiresAt: ends.toISOString() } });
    await brief.grant({ subject: { type: 'everyone' }, prefix: '' });
    const { issued, query } = await issue({ key: 'a' }, brief);
    expect([issued.expiryLimitedBy, issued.expiresAt]).toEqual(['credential', ends.toISOString()]);
    expect(query.get('X-Amz-Expires')).toBe(String(issued.expiresInSeconds));
    expect(query.get('X-Amz-Security-Token')).toBe('session');
  });

  it('for every key that looks like something else, in a URL that means this key', async () => {
    for (const key of LITERAL_KEYS) {
      const { issued } = await issue({ key });
      const written = key.split('/').map(encodeURIComponent).join('/');
      const expected = `${root}${written.replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)}`;
      const { origin, pathname } = new URL(issued.url);
      expect(origin + pathname).toBe(expected);
    }
  });
});
