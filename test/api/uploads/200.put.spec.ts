import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { asOwner } from '../calls.js';
import { putTo, sha256, startUploads, type UploadsTest } from './uploads-fixture.js';

describe('The life of an upload by one PUT', () => {
  let t: UploadsTest;
  beforeAll(async () => (t = await startUploads()));
  afterAll(() => t.stop());

  const complete = async (id: string) => (await t.alice.post(`/uploads/${id}/completion`, {}).expect(200)).body;
  const stateOf = async (id: string) => (await t.alice.get(`/uploads/${id}`).expect(200)).body.state;

  it('begins with its URL, and GET says what was promised', async () => {
    const key = t.key();
    const { uploadId } = await t.issue({ key, contentLength: 5 });
    const { body } = await t.alice.get(`/uploads/${uploadId}`).expect(200);
    expect(body).toEqual({
      id: uploadId,
      mode: 'put',
      state: 'pending',
      bucket: 'files',
      key,
      contentType: 'text/plain',
      contentLength: 5,
      expiresAt: expect.stringMatching(/Z$/),
    });
  });

  it('ends verified: size and type are held against the promise, and the ledger knows', async () => {
    const issued = await t.issue({ key: t.key(), contentLength: 5 });
    const etag = await putTo(issued, 'hello');
    const id = issued.uploadId;
    expect(await complete(id)).toEqual({
      id,
      state: 'verified',
      size: 5,
      contentType: 'text/plain',
      etag,
      verified: ['size', 'type'],
    });
    expect(await stateOf(id)).toBe('verified');
    expect(await t.history(id)).toEqual(['upload-url granted alice', 'upload.verified granted alice']);
    expect(await t.store.get(issued.key)).toBe('hello');
  });

  it('takes no body, an empty one, and none that is said to be JSON, for the same', async () => {
    const { api } = t.installation;
    const bearer = { type: 'bearer' } as const;
    const issued = await t.issue({ key: t.key(), contentLength: 5 });
    await putTo(issued, 'hello');
    const path = `/uploads/${issued.uploadId}/completion`;
    const token = t.tenant.token('alice');
    const none = await api.post(path).auth(token, bearer).expect(200);
    const json = await api.post(path).auth(token, bearer).set('content-type', 'application/json').expect(200);
    const empty = await t.alice.post(path, {}).expect(200);
    expect(new Set([none.text, json.text, empty.text]).size).toBe(1);
  });

  it('holds a checksum against the promise by reading the object once, where the store keeps none', async () => {
    const checksumSha256 = sha256('hello');
    const issued = await t.issue({ key: t.key(), contentLength: 5, checksumSha256 });
    await putTo(issued, 'hello');
    expect(await complete(issued.uploadId)).toMatchObject({
      state: 'verified',
      checksumSha256,
      verified: ['size', 'type', 'checksum'],
    });
  });

  it('ends rejected where the checksum lies: a 200 that says so, the object is gone, and each repetition has the same bytes', async () => {
    const issued = await t.issue({ key: t.key(), contentLength: 5, checksumSha256: sha256('other') });
    // A store that ignores x-amz-checksum-sha256: the embedded one, and RGW 16.
    await t.store.put(issued.key, 'hello', { uploadId: issued.uploadId });
    const path = `/uploads/${issued.uploadId}/completion`;
    const first = await t.alice.post(path, {}).expect(200);
    expect(first.body).toMatchObject({
      id: issued.uploadId,
      state: 'rejected',
      size: 5,
      contentType: 'text/plain',
      verified: ['size', 'type'],
      mismatches: [{ what: 'checksum', expected: sha256('other'), found: sha256('hello') }],
    });
    expect(first.body.checksumSha256).toBeUndefined();
    expect(await t.store.get(issued.key)).toBeNull();
    // Whatever comes to the store later changes nothing about the answer.
    await t.store.put(issued.key, 'later', { uploadId: issued.uploadId });
    expect((await t.alice.post(path, {}).expect(200)).text).toBe(first.text);
    expect(await t.history(issued.uploadId)).toEqual(['upload-url granted alice', 'upload.rejected granted alice']);
  });

  it.each([
    ['size', { contentLength: 5 }, 'hello!', 'text/plain', { what: 'size', expected: '5', found: '6' }],
    ['type', { contentLength: 5 }, 'hello', 'text/html', { what: 'type', expected: 'text/plain', found: 'text/html' }],
  ])(
    'ends rejected for another %s, without reading what is wrong anyway',
    async (_, wish, body, contentType, mismatch) => {
      const issued = await t.issue({ key: t.key(), ...wish, checksumSha256: sha256('hello') });
      await t.store.put(issued.key, body, { uploadId: issued.uploadId, contentType });
      t.requests.length = 0;
      expect(await complete(issued.uploadId)).toMatchObject({ state: 'rejected', contentType, mismatches: [mismatch] });
      expect(t.requests).not.toContain('GetObject');
      expect(await t.store.get(issued.key)).toBeNull();
    },
  );

  it('answers a repetition of the row alone: the same bytes, and no request to the store', async () => {
    const issued = await t.issue({ key: t.key(), contentLength: 5, checksumSha256: sha256('hello') });
    await putTo(issued, 'hello');
    const path = `/uploads/${issued.uploadId}/completion`;
    const first = await t.alice.post(path, {}).expect(200);
    t.requests.length = 0;
    expect((await t.alice.post(path, {}).expect(200)).text).toBe(first.text);
    expect(t.requests).toEqual([]);
  });

  it('of a form: the size within its range is verified, and another is rejected', async () => {
    const range = { mode: 'post', contentLengthRange: { min: 3, max: 5 } };
    const good = await t.issue({ key: t.key(), ...range });
    const large = await t.issue({ key: t.key(), ...range });
    await t.store.put(good.key, 'hello', { uploadId: good.uploadId });
    await t.store.put(large.key, 'hello!', { uploadId: large.uploadId });
    expect(await complete(good.uploadId)).toMatchObject({ state: 'verified', size: 5, verified: ['size', 'type'] });
    expect(await complete(large.uploadId)).toMatchObject({
      state: 'rejected',
      mismatches: [{ what: 'size', expected: '3 to 5', found: '6' }],
    });
    const { body } = await t.alice.get(`/uploads/${good.uploadId}`).expect(200);
    expect(body).toMatchObject({ mode: 'post', contentLength: null, contentLengthRange: { min: 3, max: 5 } });
  });

  it('takes an object that came late for what it is, though the upload had expired', async () => {
    const issued = await t.issue({ key: t.key(), contentLength: 5 });
    await asOwner(`UPDATE uploads SET state = 'expired', finished_at = now() WHERE id = $1`, [issued.uploadId]);
    await putTo(issued, 'hello');
    expect(await complete(issued.uploadId)).toMatchObject({ state: 'verified' });
  });

  it('goes on with a verification whose process died', async () => {
    const issued = await t.issue({ key: t.key(), contentLength: 5, checksumSha256: sha256('hello') });
    await putTo(issued, 'hello');
    await asOwner(
      `UPDATE uploads SET state = 'uploaded', lease = gen_random_uuid(), lease_until = now() WHERE id = $1`,
      [issued.uploadId],
    );
    expect(await complete(issued.uploadId)).toMatchObject({ state: 'verified' });
  });
});
