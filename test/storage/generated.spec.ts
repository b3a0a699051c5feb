import { createHash } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { contentTypes, filenames, keys } from '../signing/cases.js';
import { put, StorageTest } from './storage-fixture.js';

let t: StorageTest;
beforeAll(async () => {
  t = await StorageTest.start();
});
afterAll(() => t.stop());

/** With the bucket's prefix and the folder, no key passes S3's 1,024 bytes. */
const cases = fc.record({
  key: keys.filter((key) => Buffer.byteLength(key) <= 900),
  body: fc.uint8Array({ maxLength: 3000, size: 'max' }),
  contentType: contentTypes,
  hasChecksum: fc.boolean(),
  filename: fc.option(filenames, { nil: undefined }),
  method: fc.constantFrom('GET', 'HEAD'),
});

it('the store takes whatever URL the API issues, and gives back what was sent', async () => {
  const goesInAndOut = async ({
    key: name,
    body,
    contentType,
    hasChecksum,
    filename,
    method,
  }: CaseOf<typeof cases>) => {
    const key = t.freshKey(name);
    const checksumSha256 = createHash('sha256').update(body).digest('base64');
    const upload = await t.uploadUrl(key, body, { contentType, ...(hasChecksum && { checksumSha256 }) });
    expect((await put(upload, body)).status).toBe(200);

    const { url } = await t.downloadUrl(key, { method, filename });
    const download = await fetch(url, { method });
    expect(download.status).toBe(200);
    expect(download.headers.get('content-type')).toBe(contentType);
    expect(download.headers.get('content-length')).toBe(String(body.length));
    if (filename !== undefined) {
      const disposition = new URL(url).searchParams.get('response-content-disposition');
      expect(download.headers.get('content-disposition')).toBe(disposition);
    }
    if (method === 'GET') expect(Buffer.from(await download.arrayBuffer()).equals(body)).toBe(true);
  };
  await fc.assert(fc.asyncProperty(cases, goesInAndOut), { numRuns: 250, endOnFailure: false });
}, 120_000);

type CaseOf<A> = A extends fc.Arbitrary<infer T> ? T : never;
