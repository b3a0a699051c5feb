import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { MIB } from '../../uploads/uploads-fixture.js';
import { OWN_KEY, PATH, startUppy, type UppyTest, UPPYS_PART } from './uppy-fixture.js';

describe('An upload of Uppy’s in parts', () => {
  let t: UppyTest;
  const bytes = new Uint8Array(randomBytes(UPPYS_PART + 7));
  beforeAll(async () => (t = await startUppy()));
  afterAll(() => t.stop());

  it('is one like all others: begun, sent, listed, completed and verified, and on record as such', async () => {
    const { body: begun } = await t
      .begin({ size: String(bytes.length), name: 'a.txt', relativePath: null })
      .expect(200);
    const { uploadId, key } = begun;
    expect(begun).toEqual({ uploadId, key: expect.stringMatching(OWN_KEY), bucket: 'files' });
    const { body: upload } = await t.alice.get(`/uploads/${uploadId}`).expect(200);
    expect(upload).toMatchObject({
      mode: 'multipart',
      partSize: UPPYS_PART,
      partCount: 2,
      contentLength: bytes.length,
    });

    expect((await t.alice.get(`${PATH}/multipart/${uploadId}`, { key }).expect(200)).body).toEqual([]);
    const parts = await t.sendParts(uploadId, bytes);
    const { body: listed } = await t.alice.get(`${PATH}/multipart/${uploadId}`, { key }).expect(200);
    expect(listed).toEqual(parts.map((part, n) => ({ ...part, Size: [UPPYS_PART, 7][n] })));

    const completing = t.alice.post(`${PATH}/multipart/${uploadId}/complete?key=${encodeURIComponent(key)}`, { parts });
    const { body: completed } = await completing.expect(200);
    expect(completed).toMatchObject({ bucket: 'files', key, uploadId, state: 'verified', size: bytes.length });
    const { pathname, search } = new URL(completed.location);
    expect([pathname.endsWith(`/${key}`), search]).toEqual([true, '']);
    expect(Buffer.from((await t.store.get(key)) ?? '').length).toBeGreaterThan(0);
    expect(await t.history(uploadId)).toEqual([
      'upload-url granted alice',
      'upload-parts granted alice',
      'upload-parts granted alice',
      'upload.verified granted alice',
    ]);
    // Again, as a page does that did not hear the answer; of Uppy 6 without the quotes.
    const again = parts.map(({ PartNumber, ETag }) => ({ PartNumber, ETag: ETag.replaceAll('"', '') }));
    const repeated = await t.alice.post(`${PATH}/multipart/${uploadId}/complete`, { parts: again }).expect(200);
    expect(repeated.body).toEqual(completed);
  });

  it('is begun once for each Idempotency-Key, under the same key', async () => {
    const key = randomUUID();
    const begin = () => t.begin({ size: 5 }).set('Idempotency-Key', key).expect(200);
    const [first, again] = [await begin(), await begin()];
    expect(first.body.key).toMatch(OWN_KEY);
    expect(again.body).toEqual(first.body);
    expect(await t.history(first.body.uploadId)).toEqual(['upload-url granted alice']);
    expect((await t.begin({ size: 5 }).expect(200)).body.key).not.toBe(first.body.key);
    await t.begin({ size: 6 }).set('Idempotency-Key', key).expect(422);
  });

  // Attack: a part's URL that takes more than was promised.
  it('gets URLs that take exactly Uppy’s parts, one by one or some at once', async () => {
    const { body } = await t.begin({ size: bytes.length }).expect(200);
    const one = await t.alice.get(`${PATH}/multipart/${body.uploadId}/2`).expect(200);
    expect(one.headers['cache-control']).toBe('no-store');
    expect(one.body).toMatchObject({ method: 'PUT', headers: {} });
    const some = await t.alice.get(`${PATH}/multipart/${body.uploadId}/batch`, { partNumbers: '2,1' }).expect(200);
    const { presignedUrls } = some.body;
    expect(Object.keys(presignedUrls)).toEqual(['1', '2']);
    const send = async (url: string, length: number) =>
      (await fetch(url, { method: 'PUT', body: new Uint8Array(length) })).status;
    expect([await send(one.body.url, 8), await send(presignedUrls['2'], 7)]).toEqual([403, 200]);
    expect([await send(presignedUrls['1'], 8), await send(presignedUrls['1'], UPPYS_PART)]).toEqual([403, 200]);
    await t.alice.post(`${PATH}/multipart/${body.uploadId}/complete`, {}).expect(200);
  });

  it('has the parts that Uppy makes, whatever the size and whatever the page chose', async () => {
    const planOf = async (metadata: object) => {
      const { body } = await t.begin({ useCase: 'free', ...metadata }).expect(200);
      const { body: upload } = await t.alice.get(`/uploads/${body.uploadId}`).expect(200);
      await t.alice.delete(`${PATH}/multipart/${body.uploadId}`).expect(200);
      return [upload.partSize, upload.partCount];
    };
    expect(await planOf({ size: 1 })).toEqual([UPPYS_PART, 1]);
    expect(await planOf({ size: UPPYS_PART })).toEqual([UPPYS_PART, 1]);
    expect(await planOf({ size: 60 * MIB + 1 })).toEqual([UPPYS_PART, 13]);
    // A ten-thousandth, which is no whole number of MiB.
    expect(await planOf({ size: 100_000 * MIB + 1 })).toEqual([10 * MIB + 1, 10_000]);
    expect(await planOf({ size: 20_000_000, partSize: '7000000' })).toEqual([7_000_000, 3]);
    // Less than 5 MiB it does not make.
    expect(await planOf({ size: 20_000_000, partSize: 1_000_000 })).toEqual([UPPYS_PART, 4]);
  });

  it('is aborted when Uppy takes it back: an empty object, since Uppy reads one, also the second time', async () => {
    const { body } = await t.begin({ size: bytes.length }).expect(200);
    expect(await t.store.startedUploads(body.key)).toBe(1);
    for (let n = 0; n < 2; n++) {
      const { body: aborted } = await t.alice.delete(`${PATH}/multipart/${body.uploadId}?key=x`).expect(200);
      expect(aborted).toEqual({});
    }
    expect(await t.store.startedUploads(body.key)).toBe(0);
  });

  it('sends a small file in one part, which POST /upload-url has no use for', async () => {
    const { body } = await t.begin({ size: 2 }).expect(200);
    const parts = await t.sendParts(body.uploadId, new Uint8Array(randomBytes(2)));
    const { body: done } = await t.alice.post(`${PATH}/multipart/${body.uploadId}/complete`, { parts }).expect(200);
    expect(done).toMatchObject({ state: 'verified', size: 2 });
    const wish = { bucket: 'files', key: t.key(), contentType: 'text/plain', mode: 'multipart', contentLength: 2 };
    expect((await t.alice.post('/upload-url', wish).expect(422)).body.code).toBe('too-small');
  });
});
