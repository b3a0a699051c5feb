import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { asOwner } from '../calls.js';
import { MIB, partsOf, putTo, sha256, startUploads, twoParts, type UploadsTest } from './uploads-fixture.js';

interface IssuedPart {
  partNumber: number;
  url: string;
  headers: Record<string, string>;
  expiresAt: string;
}

describe('The life of a multipart upload', () => {
  let t: UploadsTest;
  const body = twoParts();
  const wish = { mode: 'multipart', contentLength: body.length };
  beforeAll(async () => (t = await startUploads()));
  afterAll(() => t.stop());

  const issueParts = async (id: string, request: object): Promise<IssuedPart[]> =>
    (await t.alice.post(`/uploads/${id}/parts`, request).expect(200)).body.parts;

  /** Both parts at the store; gives them with their ETags. */
  async function uploadParts(id: string, bytes = body) {
    const parts = await issueParts(id, { partNumbers: [1, 2] });
    const etags = await Promise.all(parts.map((part, n) => putTo(part, partsOf(bytes)[n] as Uint8Array<ArrayBuffer>)));
    return parts.map(({ partNumber }, n) => ({ partNumber, etag: etags[n] ?? '' }));
  }

  it('is begun at the store, with the part size that the service has chosen', async () => {
    const issued = await t.issue({ key: t.key(), ...wish });
    expect(issued).toMatchObject({ partSize: 8 * MIB, partCount: 2 });
    expect(issued.url).toBeUndefined();
    expect(await t.store.startedUploads(issued.key)).toBe(1);
    const { body: upload } = await t.alice.get(`/uploads/${issued.uploadId}`).expect(200);
    expect(upload).toMatchObject({ mode: 'multipart', state: 'pending', partSize: 8 * MIB, partCount: 2 });
  });

  it('issues each part its own URL, which takes exactly that part and lives no longer than the upload', async () => {
    const { uploadId, key } = await t.issue({ key: t.key(), ...wish });
    const { body: upload } = await t.alice.get(`/uploads/${uploadId}`).expect(200);
    const checksums = partsOf(body).map(sha256);
    const response = await t.alice.post(`/uploads/${uploadId}/parts`, { partNumbers: [2, 1], checksums }).expect(200);
    expect(response.headers['cache-control']).toBe('no-store');
    const parts = response.body.parts as IssuedPart[];
    expect(parts.map(({ partNumber }) => partNumber)).toEqual([2, 1]);
    expect(parts.map(({ headers }) => headers)).toEqual(
      checksums.map((checksum) => ({ 'x-amz-checksum-sha256': checksum })),
    );
    for (const { url, expiresAt, partNumber } of parts) {
      expect(new URL(url).pathname).toContain(key);
      expect(new URL(url).searchParams.get('partNumber')).toBe(String(partNumber));
      expect(new URL(url).searchParams.get('X-Amz-SignedHeaders')).toContain('content-length;');
      expect(Date.parse(expiresAt)).toBeLessThanOrEqual(Date.parse(upload.expiresAt));
    }
    const [first] = await issueParts(uploadId, { partNumbers: [1] });
    const short = await fetch(first?.url ?? '', { method: 'PUT', body: body.subarray(0, 8 * MIB - 1) });
    expect(short.status).toBe(403);
  });

  it('puts one call for parts on record as one row, with its part numbers and the number of its URLs', async () => {
    const { uploadId } = await t.issue({ key: t.key(), ...wish });
    await issueParts(uploadId, { partNumbers: [1, 2] });
    const [row, ...others] = await t.tenant.events({ action: 'upload-parts' });
    expect(row).toMatchObject({ decision: 'granted', details: { uploadId, partNumbers: [1, 2] }, urlCount: 2 });
    expect(others.map(({ details }) => (details as { uploadId: string }).uploadId)).not.toContain(uploadId);
    expect(JSON.stringify(row)).not.toContain('X-Amz-Signature');
    const counts = await asOwner<{ url_count: number | null }>(
      `SELECT url_count FROM ledger WHERE issuance_id = $1 OR details->>'uploadId' = $1::text ORDER BY at`,
      [uploadId],
    );
    expect(counts.map(({ url_count: count }) => count)).toEqual([0, 2]);
  });

  it('lists what the store has, for whoever was interrupted', async () => {
    const { uploadId } = await t.issue({ key: t.key(), ...wish });
    const list = async () => (await t.alice.get(`/uploads/${uploadId}/parts`).expect(200)).body;
    expect(await list()).toEqual({ parts: [] });
    const [second] = await issueParts(uploadId, { partNumbers: [2] });
    const etag = await putTo(second as IssuedPart, partsOf(body)[1] as Uint8Array<ArrayBuffer>);
    expect(await list()).toEqual({ parts: [{ partNumber: 2, size: 5, etag }] });
  });

  it.each([
    ['nothing is named', () => ({})],
    ['all parts are named', (parts: object[]) => ({ parts })],
    ['they are named backwards', (parts: object[]) => ({ parts: parts.toReversed() })],
    [
      'their ETags come without quotes',
      (parts: { etag: string }[]) => ({ parts: parts.map((part) => ({ ...part, etag: part.etag.slice(1, -1) })) }),
    ],
  ])('ends verified where %s: size, type, checksum and the ETag of what was put together', async (_, toBody) => {
    const issued = await t.issue({ key: t.key(), ...wish, checksumSha256: sha256(body) });
    const parts = await uploadParts(issued.uploadId);
    const { body: completed } = await t.alice.post(`/uploads/${issued.uploadId}/completion`, toBody(parts)).expect(200);
    expect(completed).toEqual({
      id: issued.uploadId,
      state: 'verified',
      size: body.length,
      contentType: 'text/plain',
      etag: expect.stringMatching(/^".+-2"$/),
      checksumSha256: sha256(body),
      verified: ['size', 'type', 'checksum', 'etag'],
    });
    expect(await t.store.startedUploads(issued.key)).toBe(0);
    expect(await t.store.contentTypeOf(issued.key)).toBe('text/plain');
  });

  it('ends rejected where the checksum lies, and the object is gone', async () => {
    const issued = await t.issue({ key: t.key(), ...wish, checksumSha256: sha256('a lie') });
    await uploadParts(issued.uploadId);
    const { body: completed } = await t.alice.post(`/uploads/${issued.uploadId}/completion`, {}).expect(200);
    expect(completed).toMatchObject({ state: 'rejected', mismatches: [{ what: 'checksum' }] });
    expect(await t.store.get(issued.key)).toBeNull();
  });

  it('goes on where a process died after the store had put the parts together, and before that was recorded', async () => {
    const issued = await t.issue({ key: t.key(), ...wish });
    await uploadParts(issued.uploadId);
    // The answer of the store never arrives.
    t.door.keeper = ({ what, when }) => Promise.resolve(!(what === 'CompleteMultipartUpload' && when === 'after'));
    await t.alice.post(`/uploads/${issued.uploadId}/completion`, {}).expect(503);
    t.door.keeper = () => Promise.resolve(true);
    t.requests.length = 0;
    const { body: completed } = await t.alice.post(`/uploads/${issued.uploadId}/completion`, {}).expect(200);
    expect(completed).toMatchObject({ state: 'verified', size: body.length });
    expect(t.requests).not.toContain('CompleteMultipartUpload');
  });
});
