import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { UPLOAD_TIMES, UploadLeases } from '@countersign/uploads';
import { asOwner, callsBy } from '../calls.js';
import { putTo, sha256, startUploads, twoParts, type UploadsTest } from './uploads-fixture.js';

describe('While the store does not answer', () => {
  let t: UploadsTest;
  beforeEach(async () => (t = await startUploads()));
  afterEach(() => t.stop());

  const closeFor = (operation: string) => (t.door.keeper = ({ what }) => Promise.resolve(what !== operation));
  const open = () => (t.door.keeper = () => Promise.resolve(true));
  const rowOf = async (id: string) =>
    (
      await asOwner<{ state: string; is_due: boolean; is_free: boolean }>(
        `SELECT state, due_at <= now() AS is_due, lease IS NULL AS is_free FROM uploads WHERE id = $1`,
        [id],
      )
    )[0];

  it('a completion is a 503 that changes nothing, and nothing of the store’s own words is shown', async () => {
    const issued = await t.issue({ key: t.key(), contentLength: 5 });
    await putTo(issued, 'hello');
    closeFor('HeadObject');
    const { body, headers } = await t.alice.post(`/uploads/${issued.uploadId}/completion`, {}).expect(503);
    expect(body).toMatchObject({ code: 'store-unavailable', detail: expect.not.stringMatching(/ECONN|socket/) });
    expect(headers['retry-after']).toBe('5');
    expect(await rowOf(issued.uploadId)).toEqual({ state: 'pending', is_due: false, is_free: true });
    open();
    await t.alice.post(`/uploads/${issued.uploadId}/completion`, {}).expect(200);
  });

  it('a verification that broke off is due for the reconciler, and can be asked for again', async () => {
    const issued = await t.issue({ key: t.key(), contentLength: 5, checksumSha256: sha256('hello') });
    await putTo(issued, 'hello');
    closeFor('GetObject');
    await t.alice.post(`/uploads/${issued.uploadId}/completion`, {}).expect(503);
    expect(await rowOf(issued.uploadId)).toEqual({ state: 'uploaded', is_due: true, is_free: true });
    open();
    await t.alice.post(`/uploads/${issued.uploadId}/completion`, {}).expect(200);
  });

  it('a rejected object that cannot be removed is rejected nevertheless, and due to be removed', async () => {
    const issued = await t.issue({ key: t.key(), contentLength: 5 });
    await t.store.put(issued.key, 'hello!', { uploadId: issued.uploadId });
    closeFor('DeleteObject');
    const { body } = await t.alice.post(`/uploads/${issued.uploadId}/completion`, {}).expect(200);
    expect(body.state).toBe('rejected');
    expect(await rowOf(issued.uploadId)).toEqual({ state: 'rejected', is_due: true, is_free: true });
  });

  it('a multipart upload cannot be begun, listed or put together', async () => {
    const wish = { bucket: 'files', useCase: 'free', contentType: 'a/b', mode: 'multipart', contentLength: 9_000_000 };
    closeFor('CreateMultipartUpload');
    const { body } = await t.alice.post('/upload-url', { ...wish, key: t.key() }).expect(503);
    expect(body.code).toBe('store-unavailable');
    open();
    const { uploadId } = await t.issue({ key: t.key(), mode: 'multipart', contentLength: twoParts().length });
    closeFor('ListParts');
    expect((await t.alice.get(`/uploads/${uploadId}/parts`).expect(503)).body.code).toBe('store-unavailable');
    expect((await t.alice.post(`/uploads/${uploadId}/completion`, {}).expect(503)).body.code).toBe('store-unavailable');
    expect((await rowOf(uploadId))?.state).toBe('pending');
  });

  it('a long verification holds no request for ever: a 409 says to ask again, and it goes on', async () => {
    const leases = t.installation.app.get(UploadLeases);
    Object.assign(leases, { times: { ...UPLOAD_TIMES, waitMs: 300 } });
    const issued = await t.issue({ key: t.key(), contentLength: 5, checksumSha256: sha256('hello') });
    await putTo(issued, 'hello');
    let goOn = (): void => undefined;
    const held = new Promise<boolean>((resolve) => (goOn = () => resolve(true)));
    t.door.keeper = ({ what, when }) => (what === 'GetObject' && when === 'before' ? held : Promise.resolve(true));
    const { body, headers } = await t.alice.post(`/uploads/${issued.uploadId}/completion`, {}).expect(409);
    expect([body.code, headers['retry-after']]).toEqual(['upload-incomplete', '5']);
    goOn();
    for (let state = ''; state !== 'verified';) {
      ({
        body: { state },
      } = await t.alice.get(`/uploads/${issued.uploadId}`).expect(200));
    }
  });

  it('a service that is stopped gives back what it verifies, for the next one', async () => {
    const issued = await t.issue({ key: t.key(), contentLength: 5, checksumSha256: sha256('hello') });
    await putTo(issued, 'hello');
    const reached = new Promise<void>((resolve) => {
      t.door.keeper = ({ what }) =>
        what === 'GetObject' ? (resolve(), new Promise(() => undefined)) : Promise.resolve(true);
    });
    const answer = t.alice.post(`/uploads/${issued.uploadId}/completion`, {}).then(
      ({ status }) => status,
      () => 'no answer',
    );
    await reached;
    await t.installation.app.close();
    expect([409, 503, 'no answer']).toContain(await answer);
    expect(await rowOf(issued.uploadId)).toEqual({ state: 'uploaded', is_due: true, is_free: true });
  });

  it('a signing key that was changed in the middle of a completion is followed by its successor', async () => {
    const admin = callsBy(t.installation.api, t.tenant.admin);
    const { endpoint, region, bucket, keyPrefix, forcePathStyle } = (await admin.get('/buckets/files').expect(200))
      .body;
    const credentials = { accessKeyId: 'TESTKEYTHATISNONE000', secretAccessKey: 'the-secret-of-nobody' };
    const place = { provider: 's3', endpoint, region, bucket, keyPrefix, forcePathStyle };
    await admin.post('/buckets', { ...place, name: 'rotated', credentials }).expect(201);
    await t.tenant.grant({ subject: { type: 'everyone' }, bucket: 'rotated', prefix: '' });
    const key = randomUUID();
    const issued = await t.issue({ bucket: 'rotated', key, contentLength: 5 });
    await t.store.put(key, 'hello', { uploadId: issued.uploadId });
    await t.alice.post(`/uploads/${issued.uploadId}/completion`, {}).expect(503);

    const rotate = async () => {
      t.door.keeper = () => Promise.resolve(true);
      const [old] = await asOwner<{ id: string; bucket_id: string }>(
        `UPDATE signing_keys SET state = 'deleted' WHERE state = 'active' AND access_key_id = 'TESTKEYTHATISNONE000'
           AND bucket_id = (SELECT bucket_id FROM uploads WHERE id = $1) RETURNING id, bucket_id`,
        [issued.uploadId],
      );
      await asOwner(
        `UPDATE signing_keys SET bucket_id = $1 WHERE state = 'active' AND access_key_id <> 'TESTKEYTHATISNONE000'
           AND tenant_id = (SELECT tenant_id FROM uploads WHERE id = $2)`,
        [old?.bucket_id, issued.uploadId],
      );
      return true;
    };
    t.door.keeper = rotate;
    const { body } = await t.alice.post(`/uploads/${issued.uploadId}/completion`, {}).expect(200);
    expect(body.state).toBe('verified');
  });
});
