import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { install, type Installation, storeBucket, type Tenant } from '../../support/installation.js';
import { callsBy } from '../calls.js';
import { LITERAL_KEYS } from '../literal-keys.js';

describe('POST /download-url answers 201', () => {
  let installation: Installation;
  let tenant: Tenant;
  const location = storeBucket();
  const root = `${String(location['endpoint'])}/${String(location['bucket'])}/${String(location['keyPrefix'])}`;

  beforeAll(async () => {
    installation = await install();
    tenant = await installation.createTenant(location);
    await tenant.grant({ subject: { type: 'everyone' }, prefix: '' });
  });
  afterAll(() => installation.close());

  async function issue(body: object, by = tenant) {
    const calls = callsBy(installation.api, by.token('alice'));
    const { body: issued, headers } = await calls.post('/download-url', { bucket: 'files', ...body }).expect(201);
    return { issued, headers, url: new URL(issued.url), query: new URL(issued.url).searchParams };
  }

  it('with a URL for this object, and nothing else in it than the signature', async () => {
    const { issued, headers, query } = await issue({ key: 'users/alice/a.txt' });
    expect(headers['cache-control']).toBe('no-store');
    expect(issued).toEqual({
      issuanceId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      method: 'GET',
      url: expect.any(String),
      headers: {},
      bucket: 'files',
      key: 'users/alice/a.txt',
      useCase: 'download',
      issuedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z$/),
      expiresAt: expect.any(String),
      expiresInSeconds: 900,
      expiryLimitedBy: null,
    });
    const day = issued.issuedAt.slice(0, 10).replaceAll('-', '');
    expect(issued.url.split('?')[0]).toBe(`${root}users/alice/a.txt`);
    expect(Object.fromEntries(query)).toEqual({
      'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
      'X-Amz-Content-Sha256': 'UNSIGNED-PAYLOAD',
      'X-Amz-Credential': `${process.env['STORAGE_ACCESS_KEY_ID']}/${day}/${process.env['STORAGE_REGION']}/s3/aws4_request`,
      'X-Amz-Date': `${issued.issuedAt.replace(/[-:]|\.000/g, '')}`,
      'X-Amz-Expires': '900',
      'X-Amz-Signature': expect.stringMatching(/^[0-9a-f]{64}$/),
      'X-Amz-SignedHeaders': 'host',
      'x-id': 'GetObject',
    });
    expect(Date.parse(issued.expiresAt) - Date.parse(issued.issuedAt)).toBe(900_000);
  });

  it('with a ledger row that says the same, and shows no signature', async () => {
    const { issued } = await issue({ key: 'ledger/row.txt', filename: 'row.txt', versionId: 'v1', method: 'HEAD' });
    const [event, ...others] = await tenant.events({ key: 'ledger/row.txt' });
    expect(others).toEqual([]);
    expect(event).toMatchObject({
      action: 'download-url',
      decision: 'granted',
      reason: null,
      subject: 'alice',
      bucket: 'files',
      key: 'ledger/row.txt',
      useCase: 'download',
      issuanceId: issued.issuanceId,
      expiresAt: issued.expiresAt,
      url: `${root}ledger/row.txt`,
      contentType: null,
      contentLength: null,
      details: { method: 'HEAD', filename: 'row.txt', versionId: 'v1' },
    });
    expect(JSON.stringify(event)).not.toMatch(/X-Amz|signature/i);
  });

  it('for the method, version and type that were asked for', async () => {
    const head = await issue({ key: 'a.pdf', method: 'HEAD' });
    expect(head.issued.method).toBe('HEAD');
    expect(head.query.get('x-id')).not.toBe('GetObject');
    const { query } = await issue({ key: 'a.pdf', versionId: 'a/b+c==', contentType: 'application/pdf' });
    expect(query.get('versionId')).toBe('a/b+c==');
    expect(query.get('response-content-type')).toBe('application/pdf');
    expect(query.get('response-content-disposition')).toBeNull();
  });

  it.each([
    ['report.pdf', 'attachment; filename="report.pdf"'],
    ['naïve.pdf', `attachment; filename="na_ve.pdf"; filename*=UTF-8''na%C3%AFve.pdf`],
    ['a "b"; c.pdf', 'attachment; filename="a \\"b\\"; c.pdf"'],
    ["it's 100%.pdf", `attachment; filename="it's 100%.pdf"`],
    ['€ 5 %20.pdf', `attachment; filename="_ 5 %20.pdf"; filename*=UTF-8''%E2%82%AC%205%20%2520.pdf`],
    ['👩‍👧.png', `attachment; filename="___.png"; filename*=UTF-8''%F0%9F%91%A9%E2%80%8D%F0%9F%91%A7.png`],
  ])('with the filename %j as RFC 6266 and RFC 8187 write it', async (filename, disposition) => {
    const { query } = await issue({ key: 'a', filename });
    expect(query.get('response-content-disposition')).toBe(disposition);
  });

  // Attack: a page or a picture with script in it, opened in the origin of the bucket.
  it.each([
    [{ key: 'a.html', disposition: 'inline' }, 'attachment', null],
    [{ key: 'a.html' }, 'attachment', null],
    [{ key: 'a.SVG', disposition: 'inline', filename: 'a.svg' }, 'attachment; filename="a.svg"', null],
    [
      { key: 'a.bin', disposition: 'inline', contentType: 'Text/HTML; charset=utf-8' },
      'attachment',
      'Text/HTML; charset=utf-8',
    ],
    [
      { key: 'a.bin', disposition: 'inline', contentType: 'application/atom+xml' },
      'attachment',
      'application/atom+xml',
    ],
    [{ key: 'a', disposition: 'inline' }, 'attachment', null],
    [{ key: 'a.png', disposition: 'inline' }, 'inline', 'image/png'],
    [{ key: 'a', disposition: 'inline', contentType: 'image/png' }, 'inline', 'image/png'],
    [{ key: 'a.pdf', disposition: 'inline', filename: 'b.pdf' }, 'inline; filename="b.pdf"', 'application/pdf'],
    [{ key: 'a.pdf', disposition: 'attachment' }, 'attachment', null],
  ])('for %j with a disposition that lets a browser run nothing', async (body, disposition, contentType) => {
    const { query } = await issue(body);
    expect(query.get('response-content-disposition')).toBe(disposition);
    expect(query.get('response-content-type')).toBe(contentType);
  });

  it('within the default use cases and the limits of each', async () => {
    const lives = async (useCase: string | undefined, expiresInSeconds?: number) =>
      (await issue({ key: 'a', useCase, expiresInSeconds })).issued.expiresInSeconds;
    await expect(lives(undefined)).resolves.toBe(900);
    await expect(lives('download', 60)).resolves.toBe(60);
    await expect(lives('download', 3_600)).resolves.toBe(3_600);
    await expect(lives('share')).resolves.toBe(86_400);
    await expect(lives('share', 3_600)).resolves.toBe(3_600);
    await expect(lives('one-time', 300)).resolves.toBe(300);
    await expect(lives('batch', 604_800)).resolves.toBe(604_800);
  });

  it("within a use case of the tenant's own, whose attachment binds", async () => {
    const own = { action: 'read', minExpirySeconds: 1, defaultExpirySeconds: 2, maxExpirySeconds: 3 };
    const admin = callsBy(installation.api, tenant.admin);
    await admin.put('/use-cases/kiosk', { ...own, disposition: 'attachment' }).expect(201);
    await admin.put('/use-cases/gallery', { ...own, disposition: 'inline' }).expect(201);

    const kiosk = await issue({ key: 'a.png', useCase: 'kiosk', disposition: 'inline' });
    expect([kiosk.issued.useCase, kiosk.issued.expiresInSeconds]).toEqual(['kiosk', 2]);
    expect(kiosk.query.get('response-content-disposition')).toBe('attachment');
    const gallery = await issue({ key: 'a.png', useCase: 'gallery' });
    expect(gallery.query.get('response-content-disposition')).toBe('inline');
  });

  it.each(LITERAL_KEYS)('for the key %j, in a URL that means this key to every client', async (key) => {
    // Attack: a key that URL parsers rewrite reaches another object than the one that was checked.
    const { issued, url } = await issue({ key });
    const written = key.split('/').map(encodeURIComponent).join('/');
    const expected = `${root}${written.replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)}`;
    expect(issued.key).toBe(key);
    expect(issued.url.split('?')[0]).toBe(expected);
    expect(url.origin + url.pathname).toBe(expected);
  });

  it('with the expiry of the credential where that comes first, and says so', async () => {
    // Attack on truth: the SDK signs seven days with a session that dies in five minutes, without a word.
    const ends = new Date(Math.floor(Date.now() / 1000) * 1000 + 300_700);
    const credentials = {
      accessKeyId: 'ASIASESSION',
      secretAccessKey: 'secret-of-a-session',
      sessionToken: 'token/of+a==session',
      expiresAt: ends.toISOString(),
    };
    const brief = await installation.createTenant({ credentials });
    await brief.grant({ subject: { type: 'everyone' }, prefix: '' });

    const { issued, query } = await issue({ key: 'a' }, brief);
    expect(issued.expiryLimitedBy).toBe('credential');
    expect(issued.expiresAt).toBe(`${ends.toISOString().slice(0, 19)}.000Z`);
    expect(query.get('X-Amz-Expires')).toBe(String(issued.expiresInSeconds));
    expect(Date.parse(issued.issuedAt) + issued.expiresInSeconds * 1000).toBe(Date.parse(issued.expiresAt));
    expect(query.get('X-Amz-Security-Token')).toBe('token/of+a==session');
    const [event] = await brief.events({ action: 'download-url' });
    expect(event?.['expiresAt']).toBe(issued.expiresAt);

    const short = await issue({ key: 'a', expiresInSeconds: 60 }, brief);
    expect([short.issued.expiresInSeconds, short.issued.expiryLimitedBy]).toEqual([60, null]);
  });

  it('for the public endpoint where clients reach the store by another name', async () => {
    const bucket = {
      endpoint: 'http://store.internal:9000',
      publicEndpoint: 'https://files.example.com',
      keyPrefix: 'p/',
    };
    const shop = await installation.createTenant({ ...bucket, bucket: 'shop-files', forcePathStyle: false });
    await shop.grant({ subject: { type: 'everyone' }, prefix: '' });
    const { issued } = await issue({ key: 'a/b' }, shop);
    expect(issued.url.split('?')[0]).toBe('https://shop-files.files.example.com/p/a/b');
  });
});
