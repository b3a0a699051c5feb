import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { asOwner, callsBy } from '../calls.js';
import { MIB, startUploads, type UploadsTest } from '../uploads/uploads-fixture.js';

let t: UploadsTest;
beforeAll(async () => {
  t = await startUploads();
});
afterAll(() => t.stop());

const wish = () => ({
  bucket: 'files',
  key: t.key(),
  useCase: 'free',
  contentType: 'text/plain',
  mode: 'multipart',
  contentLength: 8 * MIB + 5,
});
const begin = (key: string, body: object) => t.alice.post('/upload-url', body).set('Idempotency-Key', key);
const startsOf = (what: string) => t.requests.filter((request) => request === what).length;
/** What remains where the service dies at that moment. */
const forgetStart = (uploadId: string) =>
  asOwner('UPDATE uploads SET store_upload_id = NULL, lease = NULL, lease_until = NULL WHERE id = $1', [uploadId]);

describe('An upload in parts that is begun again with its Idempotency-Key', () => {
  it('is the same upload, which the store has begun once, 30 times at once too', async () => {
    const [key, body] = [randomUUID(), wish()];
    const before = startsOf('CreateMultipartUpload');
    const answers = await Promise.all(Array.from({ length: 30 }, () => begin(key, body).expect(201)));
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
    expect(startsOf('CreateMultipartUpload')).toBe(before + 1);
    expect(await t.store.startedUploads(body.key)).toBe(1);
    expect(await t.history(answers[0]?.body.uploadId)).toEqual(['upload-url granted alice']);
  });

  it('is begun at the store where whoever began it died before that, or before anybody heard of it', async () => {
    const [key, body] = [randomUUID(), wish()];
    const first = await begin(key, body).expect(201);
    await forgetStart(first.body.uploadId);
    const again = await begin(key, body).expect(201);
    expect(again.text).toBe(first.text);
    // What the dead one left at the store is gone: there is one, and it takes parts.
    expect(await t.store.startedUploads(body.key)).toBe(1);
    await t.alice.post(`/uploads/${again.body.uploadId}/parts`, { partNumbers: [1] }).expect(200);
    await t.alice.get(`/uploads/${again.body.uploadId}/parts`).expect(200);
  });

  it('is begun anew after a 503 of a store that did not answer', async () => {
    const [key, body] = [randomUUID(), wish()];
    let isDown = true;
    t.door.keeper = ({ what }) => Promise.resolve(!(isDown && what === 'CreateMultipartUpload'));
    expect((await begin(key, body).expect(503)).body.code).toBe('store-unavailable');
    isDown = false;
    const { body: begun } = await begin(key, body).expect(201);
    t.door.keeper = () => Promise.resolve(true);
    expect(await t.history(begun.uploadId)).toEqual(['upload-url granted alice']);
    expect(await t.store.startedUploads(body.key)).toBe(1);
  });

  it('that ended before the store began it answers 409', async () => {
    const [key, body] = [randomUUID(), wish()];
    const { uploadId } = (await begin(key, body).expect(201)).body;
    await forgetStart(uploadId);
    await asOwner(`UPDATE uploads SET state = 'aborted', finished_at = now() WHERE id = $1`, [uploadId]);
    expect((await begin(key, body).expect(409)).body.code).toBe('idempotency-replay-gone');
    await asOwner('DELETE FROM uploads WHERE id = $1', [uploadId]);
    expect((await begin(key, body).expect(409)).body.code).toBe('idempotency-replay-gone');
  });
});

describe('URLs of parts that are asked for again with their Idempotency-Key', () => {
  const ask = (uploadId: string, key: string, body: object) =>
    t.alice.post(`/uploads/${uploadId}/parts`, body).set('Idempotency-Key', key);

  it('are the same, and on record once, 50 times at once too', async () => {
    const { uploadId } = (await begin(randomUUID(), wish()).expect(201)).body;
    const [key, body] = [randomUUID(), { partNumbers: [2, 1] }];
    const answers = await Promise.all(Array.from({ length: 50 }, () => ask(uploadId, key, body).expect(200)));
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
    expect(answers[0]?.body.parts.map(({ partNumber }: { partNumber: number }) => partNumber)).toEqual([2, 1]);
    expect(await t.history(uploadId)).toEqual(['upload-url granted alice', 'upload-parts granted alice']);
    const put = await fetch(answers[0]?.body.parts[0].url, { method: 'PUT', body: 'hello' });
    expect(put.status).toBe(200);
  });

  it('of other parts, or of another upload, answer 422', async () => {
    const [one, other] = [await begin(randomUUID(), wish()), await begin(randomUUID(), wish())];
    const key = randomUUID();
    await ask(one.body.uploadId, key, { partNumbers: [1] }).expect(200);
    await ask(one.body.uploadId, key, { partNumbers: [2] }).expect(422);
    await ask(other.body.uploadId, key, { partNumbers: [1] }).expect(422);
    expect(await t.history(other.body.uploadId)).toEqual(['upload-url granted alice']);
  });

  it('are refused once the grant is gone, and gone with the signing key; both on record', async () => {
    const tenant = await t.installation.createTenant();
    const grant = await tenant.grant({ subject: { type: 'everyone' }, prefix: '' });
    const admin = callsBy(t.installation.api, tenant.admin);
    const bob = callsBy(t.installation.api, tenant.token('bob'));
    const { uploadId } = (await bob.post('/upload-url', { ...wish(), useCase: 'upload' }).expect(201)).body;
    const key = randomUUID();
    const again = () => bob.post(`/uploads/${uploadId}/parts`, { partNumbers: [1] }).set('Idempotency-Key', key);
    await again().expect(200);
    await asOwner(
      `UPDATE signing_keys SET state = 'revoked' WHERE id = (SELECT signing_key_id FROM ledger WHERE issuance_id = $1)`,
      [uploadId],
    );
    expect((await again().expect(409)).body.code).toBe('idempotency-replay-gone');
    await admin.delete(`/grants/${grant}`).expect(204);
    await again().expect(404);
    expect(await t.history(uploadId)).toEqual([
      'upload-url granted bob',
      'upload-parts granted bob',
      'upload-parts refused idempotency-replay-gone bob',
      'upload-parts refused bucket-not-found bob',
    ]);
  });
});
