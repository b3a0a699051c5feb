import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { asOwner } from '../calls.js';
import { putTo, startUploads, twoParts, type UploadsTest } from './uploads-fixture.js';

describe('DELETE /uploads/{id}', () => {
  let t: UploadsTest;
  beforeAll(async () => (t = await startUploads()));
  afterAll(() => t.stop());

  const abort = (id: string) => t.alice.delete(`/uploads/${id}`);
  const stateOf = async (id: string) => (await t.alice.get(`/uploads/${id}`).expect(200)).body.state;

  it('ends an upload of which nothing has come, and is on record', async () => {
    const { uploadId } = await t.issue({ key: t.key(), contentLength: 5 });
    const { text } = await abort(uploadId).expect(204);
    expect(text).toBe('');
    expect(await stateOf(uploadId)).toBe('aborted');
    expect(await t.history(uploadId)).toEqual(['upload-url granted alice', 'upload.aborted granted alice']);
  });

  it('removes the object that came by it', async () => {
    const issued = await t.issue({ key: t.key(), contentLength: 5 });
    await putTo(issued, 'hello');
    await abort(issued.uploadId).expect(204);
    expect(await t.store.get(issued.key)).toBeNull();
  });

  it('takes the parts of a multipart upload from the store', async () => {
    const issued = await t.issue({ key: t.key(), mode: 'multipart', contentLength: twoParts().length });
    const { body } = await t.alice.post(`/uploads/${issued.uploadId}/parts`, { partNumbers: [2] }).expect(200);
    await putTo(body.parts[0], 'rest!');
    await abort(issued.uploadId).expect(204);
    expect(await t.store.startedUploads(issued.key)).toBe(0);
    await expect(putTo(body.parts[0], 'rest!')).rejects.toThrow('404');
  });

  it('is a 204 also where it was aborted already, once on record', async () => {
    const { uploadId } = await t.issue({ key: t.key(), contentLength: 5 });
    for (let times = 0; times < 3; times++) await abort(uploadId).expect(204);
    expect(await t.history(uploadId)).toEqual(['upload-url granted alice', 'upload.aborted granted alice']);
  });

  it('is due to be looked at again until its URL has been dead for a day: an object may still come by it', async () => {
    const { uploadId } = await t.issue({ key: t.key(), contentLength: 5 });
    await abort(uploadId).expect(204);
    const [row] = await asOwner<{ is_due: boolean }>(
      `SELECT due_at = expires_at AND looks = 1 AS is_due FROM uploads WHERE id = $1`,
      [uploadId],
    );
    expect(row?.is_due).toBe(true);
  });

  it('ends one that has expired', async () => {
    const { uploadId } = await t.issue({ key: t.key(), contentLength: 5 });
    await asOwner(`UPDATE uploads SET state = 'expired', finished_at = now() WHERE id = $1`, [uploadId]);
    await abort(uploadId).expect(204);
    expect(await stateOf(uploadId)).toBe('aborted');
  });

  it.each(['verified', 'rejected'])('is a 409 once it is %s: there is a verdict', async (state) => {
    const issued = await t.issue({ key: t.key(), contentLength: 5 });
    if (state === 'verified') await putTo(issued, 'hello');
    else await t.store.put(issued.key, 'hello!', { uploadId: issued.uploadId });
    await t.alice.post(`/uploads/${issued.uploadId}/completion`, {}).expect(200);
    const { body } = await abort(issued.uploadId).expect(409);
    expect(body.code).toBe('wrong-state');
    expect(await stateOf(issued.uploadId)).toBe(state);
    expect(await t.store.get(issued.key)).toBe(state === 'verified' ? 'hello' : null);
  });

  it('is recorded before the store is asked: where that does not answer it is a 503, and a second try goes on', async () => {
    const issued = await t.issue({ key: t.key(), contentLength: 5 });
    await putTo(issued, 'hello');
    t.door.keeper = ({ what }) => Promise.resolve(what !== 'DeleteObject');
    const { body } = await abort(issued.uploadId).expect(503);
    expect(body.code).toBe('store-unavailable');
    expect(await stateOf(issued.uploadId)).toBe('aborted');
    t.door.keeper = () => Promise.resolve(true);
    await abort(issued.uploadId).expect(204);
    expect(await t.store.get(issued.key)).toBeNull();
  });
});
