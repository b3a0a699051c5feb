// What a real store makes of our upload forms. The embedded one has no POST policies and refuses every POST: there is nothing to try there.
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { makeBucket } from './store-bucket.js';
import { StorageTest, untilRefused } from './storage-fixture.js';

interface IssuedForm {
  uploadId: string;
  url: string;
  fields: Record<string, string>;
  expiresAt: string;
}

const isEmbedded = process.env['STORAGE_KIND'] === 'embedded';

(isEmbedded ? describe.skip : describe)('an upload form', () => {
  let t: StorageTest;
  beforeAll(async () => {
    t = await StorageTest.start();
  });
  afterAll(() => t.stop());

  /** A form of alice's for three to five bytes of plain text. */
  async function formFor(key: string, more: object = {}): Promise<IssuedForm> {
    const range = { min: 3, max: 5 };
    const wish = { bucket: 'files', key, mode: 'post', contentType: 'text/plain', contentLengthRange: range, ...more };
    const { body } = await t.ask('/upload-url', 'alice', wish).expect(201);
    return body as IssuedForm;
  }

  /** Sends it as a browser would: the fields, and then the file. */
  function send(url: string, fields: Iterable<[string, string]>, content = 'four', headers = {}): Promise<Response> {
    const form = new FormData();
    for (const [name, value] of fields) form.append(name, value);
    form.append('file', new Blob([content], { type: 'text/html' }), 'evil.html');
    return fetch(url, { method: 'POST', body: form, headers });
  }

  /** Sends alice's form after a change, and gives the refusal; nothing was stored. */
  async function refusalOf(change: (fields: Map<string, string>) => void, content?: string, more?: object) {
    const key = t.freshKey();
    const { url, fields } = await formFor(key, more);
    const changed = new Map(Object.entries(fields));
    change(changed);
    const response = await send(url, changed, content);
    expect(await t.read(key)).toBe(404);
    return refusal(response);
  }

  async function refusal(response: Response): Promise<string> {
    return `${response.status} ${/<Code>(\w+)<\/Code>/.exec(await response.text())?.[1] ?? ''}`.trim();
  }

  const asItIs = (): void => {};

  it('stores what it was issued for, with the type, the disposition and the metadata that it pins', async () => {
    const key = t.freshKey('ü $ 日本 (1).svg');
    const { url, fields, uploadId } = await formFor(key, { contentType: 'image/svg+xml' });
    expect((await send(url, Object.entries(fields))).status).toBe(204);
    const stored = await fetch((await t.downloadUrl(key)).url);
    expect(await stored.text()).toBe('four');
    expect(Object.fromEntries(stored.headers)).toMatchObject({
      'content-type': 'image/svg+xml',
      'content-disposition': 'attachment',
      'x-amz-meta-countersign-upload': uploadId,
    });
    expect((await fetch(`${url}/${key.split('/').map(encodeURIComponent).join('/')}`)).status).toBe(403);
  });

  it.each(['abc', 'abcde'])('takes both ends of its range: "%s"', async (content) => {
    const key = t.freshKey();
    const { url, fields } = await formFor(key);
    expect((await send(url, Object.entries(fields), content)).status).toBe(204);
    expect(await t.read(key)).toBe(content);
  });

  it('is refused with one byte more, and with one byte less', async () => {
    // Attack: the holder of a form for a small file fills the bucket.
    expect(await refusalOf(asItIs, 'abcdef')).toBe('400 EntityTooLarge');
    expect(await refusalOf(asItIs, 'ab')).toBe('400 EntityTooSmall');
    const range = { min: 0, max: 5 * 1024 * 1024 };
    expect(await refusalOf(asItIs, 'x'.repeat(range.max + 1), { contentLengthRange: range })).toBe(
      '400 EntityTooLarge',
    );
  });

  it.each<[string, (fields: Map<string, string>) => void]>([
    // Attack: the holder of a form for an object of their own writes another's, …
    ['another key', (fields) => fields.set('key', `users/bob/${randomUUID()}`)],
    ['a longer key', (fields) => fields.set('key', `${fields.get('key')}/more`)],
    ['a variable in the key', (fields) => fields.set('key', 'users/alice/${filename}')],
    // … or a page that runs, …
    ['another type', (fields) => fields.set('Content-Type', 'text/html')],
    ['the type with more', (fields) => fields.set('Content-Type', 'text/plain,text/html')],
    // … or passes one object off as that of another upload, …
    ['another upload', (fields) => fields.set('x-amz-meta-countersign-upload', randomUUID())],
    // … or publishes it, …
    ['another ACL', (fields) => fields.set('acl', 'public-read')],
    // … or makes the form last.
    ['another date', (fields) => fields.set('X-Amz-Date', '20380119T031407Z')],
    ['another signature', (fields) => fields.set('X-Amz-Signature', '0'.repeat(64))],
    ['another policy', (fields) => fields.set('Policy', widened(fields.get('Policy') ?? ''))],
  ])('is refused with %s', async (_, change) => {
    expect(await refusalOf(change)).toMatch(/^403 (AccessDenied|SignatureDoesNotMatch)$/);
  });

  it.each(['Content-Type', 'acl', 'x-amz-meta-countersign-upload', 'Policy', 'X-Amz-Signature', 'X-Amz-Credential'])(
    'is refused without its field %s',
    async (name) => {
      // Attack: what is pinned is simply left out.
      const refused = await refusalOf((fields) => expect(fields.delete(name)).toBe(true));
      expect(refused).toMatch(/^40[03] /);
    },
  );

  it.each([
    ['x-amz-meta-more', 'metadata'],
    ['x-amz-copy-source', '/bucket/users/bob/secret'],
    ['success_action_redirect', 'https://evil.example.com/'],
    ['success_action_status', '201'],
    ['Content-Encoding', 'gzip'],
    ['Cache-Control', 'max-age=31536000'],
  ])('is refused with a field %s more', async (name, value) => {
    // Attack: the holder adds what nobody pinned.
    expect(await refusalOf((fields) => fields.set(name, value))).toBe('403 AccessDenied');
  });

  it('is refused by another bucket, though its signing key could write there', async () => {
    // Attack: a bucket's form is sent to another bucket of the same owner.
    const key = t.freshKey();
    const { url, fields } = await formFor(key);
    const another = await makeBucket();
    const elsewhere = url.replace(/[^/]+$/, another.name);
    for (const bucket of [fields['bucket'] ?? '', another.name]) {
      const refused = await send(elsewhere, Object.entries({ ...fields, bucket }));
      expect(await refusal(refused)).toBe('403 AccessDenied');
    }
    await expect(another.keys()).resolves.toEqual([]);
    expect((await send(url, Object.entries(fields))).status).toBe(204);
  });

  it('obeys no header beside it', async () => {
    // Attack: what a presigned PUT obeys on this store without a signature: a copy of another's object, and an ACL.
    const secret = await t.store('salaries');
    const key = t.freshKey();
    const { url, fields } = await formFor(key);
    const bucket = new URL(url).pathname;
    const headers = { 'x-amz-copy-source': `${bucket}/${secret}`, 'x-amz-acl': 'public-read' };
    await send(url, Object.entries(fields), 'four', headers);
    expect(['four', 404]).toContain(await t.read(key));
    expect((await fetch(`${url}/${key}`)).status).toBe(403);
  });

  it('is refused once it has expired', async () => {
    const key = t.freshKey();
    const { url, fields, expiresAt } = await formFor(key, { useCase: 'brief', expiresInSeconds: 2 });
    const refused = await untilRefused(expiresAt, () => send(url, Object.entries(fields)));
    expect(await refusal(refused)).toBe('403 AccessDenied');
  }, 30_000);
});

/** The same policy, with more that is allowed. */
function widened(policy: string): string {
  const text = Buffer.from(policy, 'base64').toString();
  expect(text).toContain('"content-length-range",3,5');
  return Buffer.from(text.replace('"content-length-range",3,5', '"content-length-range",3,5000000')).toString('base64');
}
