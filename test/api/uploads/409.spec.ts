import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { asOwner } from '../calls.js';
import { MIB, partsOf, putTo, sha256, startUploads, twoParts, type UploadsTest } from './uploads-fixture.js';

describe('A completion answers 409', () => {
  let t: UploadsTest;
  const body = twoParts();
  const inParts = { mode: 'multipart', contentLength: body.length };
  beforeAll(async () => (t = await startUploads()));
  afterAll(() => t.stop());

  const refused = async (id: string, request: object = {}) => {
    const response = await t.alice.post(`/uploads/${id}/completion`, request).expect(409);
    return { ...response.body, retryAfter: response.headers['retry-after'] };
  };
  const stateOf = async (id: string) => (await t.alice.get(`/uploads/${id}`).expect(200)).body.state;
  const retryable = { code: 'upload-incomplete', retryAfter: '1' };

  async function uploadParts(id: string, numbers: number[], bytes = body) {
    const { body: issued } = await t.alice.post(`/uploads/${id}/parts`, { partNumbers: numbers }).expect(200);
    for (const part of issued.parts) await putTo(part, partsOf(bytes)[part.partNumber - 1] as Uint8Array<ArrayBuffer>);
  }

  it('while nothing is there yet, which changes nothing: the upload is pending, and can be made', async () => {
    const issued = await t.issue({ key: t.key(), contentLength: 5 });
    expect(await refused(issued.uploadId)).toMatchObject(retryable);
    expect(await stateOf(issued.uploadId)).toBe('pending');
    await putTo(issued, 'hello');
    await t.alice.post(`/uploads/${issued.uploadId}/completion`, {}).expect(200);
  });

  it('for an older object under the key, which is no part of the story and is never touched', async () => {
    const key = t.key();
    await t.store.put(key, 'older', { contentType: 'text/html' });
    const issued = await t.issue({ key, contentLength: 5, checksumSha256: sha256('hello'), overwrite: true });
    expect(await refused(issued.uploadId)).toMatchObject(retryable);
    await t.alice.delete(`/uploads/${issued.uploadId}`).expect(204);
    expect(await t.store.get(key)).toBe('older');
  });

  // Attack: one who lost the race for a key completes, or aborts, to have the winner's object judged by other promises and removed.
  it('to whoever lost the race for a key, and the winner’s object stays', async () => {
    const key = t.key();
    const winner = await t.issue({ key, contentLength: 5 });
    const loser = await t.issue({ key, contentLength: 6, contentType: 'text/html', checksumSha256: sha256('loser!') });
    await putTo(winner, 'hello');
    await expect(putTo(loser, 'loser!')).rejects.toThrow('412');
    expect(await refused(loser.uploadId)).toMatchObject(retryable);
    await t.alice.delete(`/uploads/${loser.uploadId}`).expect(204);
    expect(await t.store.get(key)).toBe('hello');
    await t.alice.post(`/uploads/${winner.uploadId}/completion`, {}).expect(200);
  });

  it('while parts are missing, names them, and deletes none of the others', async () => {
    const issued = await t.issue({ key: t.key(), ...inParts });
    await uploadParts(issued.uploadId, [2]);
    expect(await refused(issued.uploadId)).toMatchObject({
      ...retryable,
      errors: [{ pointer: '/parts', message: 'part 1 is not at the store' }],
    });
    expect((await t.alice.get(`/uploads/${issued.uploadId}/parts`).expect(200)).body.parts).toHaveLength(1);
    await uploadParts(issued.uploadId, [1]);
    await t.alice.post(`/uploads/${issued.uploadId}/completion`, {}).expect(200);
  });

  it('names at most a hundred parts', async () => {
    const issued = await t.issue({ key: t.key(), mode: 'multipart', contentLength: 8 * MIB * 101 });
    const { detail, errors } = await refused(issued.uploadId);
    expect(detail).toContain('101 parts');
    expect(errors).toHaveLength(100);
  });

  it('where the caller knows a part by another ETag, or leaves one out', async () => {
    const issued = await t.issue({ key: t.key(), ...inParts });
    await uploadParts(issued.uploadId, [1, 2]);
    const { errors } = await refused(issued.uploadId, { parts: [{ partNumber: 2, etag: '"other"' }] });
    expect(errors.map(({ message }: { message: string }) => message)).toEqual([
      'part 1 is not named',
      'part 2 has another ETag at the store',
    ]);
    expect(await stateOf(issued.uploadId)).toBe('pending');
  });

  it('where somebody else has the key by now: what is in parts may not replace it, and stays', async () => {
    const issued = await t.issue({ key: t.key(), ...inParts });
    await uploadParts(issued.uploadId, [1, 2]);
    await t.store.put(issued.key, 'first');
    t.requests.length = 0;
    expect(await refused(issued.uploadId)).toMatchObject({ code: 'already-exists' });
    // Not every store would refuse to put them together (RGW 16 does not): the service has looked.
    expect(t.requests).not.toContain('CompleteMultipartUpload');
    expect(await t.store.get(issued.key)).toBe('first');
    expect(await stateOf(issued.uploadId)).toBe('pending');
    expect(await t.store.startedUploads(issued.key)).toBe(1);
  });

  it('where that was asked for and allowed it replaces it', async () => {
    const issued = await t.issue({ key: t.key(), ...inParts, overwrite: true });
    await uploadParts(issued.uploadId, [1, 2]);
    await t.store.put(issued.key, 'first');
    await t.alice.post(`/uploads/${issued.uploadId}/completion`, {}).expect(200);
  });

  it('for one that was aborted, and for one that expired and never came', async () => {
    const aborted = await t.issue({ key: t.key(), contentLength: 5 });
    await t.alice.delete(`/uploads/${aborted.uploadId}`).expect(204);
    expect(await refused(aborted.uploadId)).toMatchObject({ code: 'wrong-state' });
    const expired = await t.issue({ key: t.key(), contentLength: 5 });
    await asOwner(`UPDATE uploads SET state = 'expired', finished_at = now() WHERE id = $1`, [expired.uploadId]);
    expect(await refused(expired.uploadId)).toMatchObject({ code: 'wrong-state' });
  });

  it('where the store has lost the parts: a new upload must be begun', async () => {
    const issued = await t.issue({ key: t.key(), ...inParts });
    await asOwner(`UPDATE uploads SET store_upload_id = 'lost' WHERE id = $1`, [issued.uploadId]);
    expect(await refused(issued.uploadId)).toMatchObject({ code: 'wrong-state' });
    const parts = await t.alice.get(`/uploads/${issued.uploadId}/parts`).expect(409);
    expect(parts.body.code).toBe('wrong-state');
  });
});

describe('Parts answer 409', () => {
  let t: UploadsTest;
  beforeAll(async () => (t = await startUploads()));
  afterAll(() => t.stop());

  it.each([
    ['of another mode', `mode = 'put'`],
    ['that is over', `state = 'verified'`],
    ['that expired', `state = 'expired'`],
    ['that was aborted', `state = 'aborted'`],
    ['that the store has not begun', `store_upload_id = NULL`],
  ])('of an upload %s', async (_, change) => {
    const { uploadId } = await t.issue({ key: t.key(), mode: 'multipart', contentLength: 9 * MIB });
    await asOwner(`UPDATE uploads SET ${change} WHERE id = $1`, [uploadId]);
    const issuing = await t.alice.post(`/uploads/${uploadId}/parts`, { partNumbers: [1] }).expect(409);
    const listing = await t.alice.get(`/uploads/${uploadId}/parts`).expect(409);
    expect([issuing.body.code, listing.body.code]).toEqual(['wrong-state', 'wrong-state']);
  });

  it('past the upload’s end no URL is issued, though nobody has looked after it yet', async () => {
    const { uploadId } = await t.issue({ key: t.key(), mode: 'multipart', contentLength: 9 * MIB });
    await asOwner(`UPDATE uploads SET expires_at = now() WHERE id = $1`, [uploadId]);
    const { body } = await t.alice.post(`/uploads/${uploadId}/parts`, { partNumbers: [1] }).expect(409);
    expect(body.code).toBe('wrong-state');
  });
});
