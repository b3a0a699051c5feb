import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { callsBy, pointersOf } from '../calls.js';
import { MIB, sha256, startUploads, type UploadsTest } from './uploads-fixture.js';

describe('Requests about an upload', () => {
  let t: UploadsTest;
  /** In two parts, and by one PUT. */
  let inParts: string;
  let whole: string;
  beforeAll(async () => {
    t = await startUploads();
    inParts = (await t.issue({ key: t.key(), mode: 'multipart', contentLength: 9 * MIB })).uploadId;
    whole = (await t.issue({ key: t.key(), contentLength: 5 })).uploadId;
  });
  afterAll(() => t.stop());

  it.each([
    ['no numbers', {}, ['/partNumbers']],
    ['an empty list', { partNumbers: [] }, ['/partNumbers']],
    ['no list', { partNumbers: 1 }, ['/partNumbers']],
    ['part 0', { partNumbers: [0] }, ['/partNumbers']],
    ['half a part', { partNumbers: [1.5] }, ['/partNumbers']],
    ['a number as text', { partNumbers: ['1'] }, ['/partNumbers']],
    ['the same part twice', { partNumbers: [1, 1] }, ['/partNumbers']],
    ['1,001 parts', { partNumbers: Array.from({ length: 1_001 }, (_, n) => n + 1) }, ['/partNumbers']],
    ['fewer checksums than parts', { partNumbers: [1, 2], checksums: [sha256('a')] }, ['/checksums']],
    ['a checksum that is none', { partNumbers: [1, 2], checksums: [sha256('a'), 'abc='] }, ['/checksums/1']],
    ['a checksum that is no text', { partNumbers: [1], checksums: [1] }, ['/checksums']],
    ['a field that is none', { partNumbers: [1], key: 'users/bob/a' }, ['/key']],
  ])('for parts are malformed with %s', async (_, request, pointers) => {
    const response = await t.alice.post(`/uploads/${inParts}/parts`, request).expect(400);
    expect(pointersOf(response)).toEqual(pointers);
  });

  it.each([
    ['parts that are no list', { parts: {} }, ['/parts']],
    ['null in place of parts', { parts: null }, ['/parts']],
    [
      '10,001 parts',
      { parts: Array.from({ length: 10_001 }, (_, n) => ({ partNumber: n + 1, etag: 'a' })) },
      ['/parts'],
    ],
    ['a part that is none', { parts: [7, { partNumber: 2, etag: 'a' }] }, ['/parts/0']],
    ['a part without its number', { parts: [{ etag: 'a' }] }, ['/parts/0/partNumber']],
    ['a number that is none', { parts: [{ partNumber: '1', etag: 'a' }] }, ['/parts/0/partNumber']],
    ['an ETag with half its quotes', { parts: [{ partNumber: 1, etag: '"a' }] }, ['/parts/0/etag']],
    ['a line break in an ETag', { parts: [{ partNumber: 1, etag: 'a\nb' }] }, ['/parts/0/etag']],
    ['an empty ETag', { parts: [{ partNumber: 1, etag: '' }] }, ['/parts/0/etag']],
    ['a field that is none', { parts: [{ partNumber: 1, etag: 'a', size: 1 }] }, ['/parts/0/size']],
    ['another field that is none', { key: 'users/bob/a' }, ['/key']],
    ['one part twice', { parts: [1, 2, 1].map((partNumber) => ({ partNumber, etag: 'a' })) }, ['/parts/2/partNumber']],
    ['a list', [], ['']],
  ])('to complete it are malformed with %s', async (_, request, pointers) => {
    const response = await t.alice.post(`/uploads/${inParts}/completion`, request).expect(400);
    expect(pointersOf(response)).toEqual(pointers);
  });

  // Attack: names that reach the prototype where code copies properties.
  it.each(['{"__proto__":{"parts":[]}}', '{"parts":[{"partNumber":1,"etag":"a","__proto__":{}}]}'])(
    'to complete it are malformed with %s',
    async (bytes) => {
      await t.alice.postBytes(`/uploads/${inParts}/completion`, bytes).expect(400);
    },
  );

  it('name parts only of one that was made in parts', async () => {
    const parts = [{ partNumber: 1, etag: 'a' }];
    const response = await t.alice.post(`/uploads/${whole}/completion`, { parts }).expect(400);
    expect(pointersOf(response)).toEqual(['/parts']);
  });

  it('to complete it may name 10,000 parts, with ETags of a store that makes long ones', async () => {
    const parts = Array.from({ length: 10_000 }, (_, n) => ({ partNumber: n + 1, etag: `"${'a'.repeat(128)}"` }));
    const { body } = await t.alice.post(`/uploads/${inParts}/completion`, { parts }).expect(409);
    expect(body.code).toBe('upload-incomplete');
  });

  it('are too large where they are larger than any that make sense', async () => {
    await t.alice.postBytes(`/uploads/${inParts}/completion`, Buffer.alloc(2_560_001, 0x20)).expect(413);
    await t.alice.postBytes(`/uploads/${inParts}/parts`, Buffer.alloc(64 * 1024 + 1, 0x20)).expect(413);
  });

  it('are JSON, or nothing', async () => {
    const { api } = t.installation;
    for (const path of [`/uploads/${inParts}/completion`, `/uploads/${inParts}/parts`]) {
      const form = api.post(path).auth(t.tenant.token('alice'), { type: 'bearer' }).type('form').send('a=b');
      expect((await form).status).toBe(415);
      await t.alice.postBytes(path, '{"a').expect(400);
    }
  });

  it('ask for parts that it has: one beyond the last is a 422, on record, and the limit is told', async () => {
    const { body } = await t.alice.post(`/uploads/${inParts}/parts`, { partNumbers: [2, 3, 10_001] }).expect(422);
    expect(body).toMatchObject({
      code: 'part-number-out-of-range',
      errors: [1, 2].map((n) => ({
        code: 'part-number-out-of-range',
        pointer: `/partNumbers/${n}`,
        limits: { partCount: 2 },
      })),
    });
    expect(await t.history(inParts)).toContain('upload-parts refused part-number-out-of-range alice');
  });

  it('ask for no checksums of parts at AWS, which would refuse the URL: a 422, on record', async () => {
    const admin = callsBy(t.installation.api, t.tenant.admin);
    const { body: before } = await admin.get('/buckets/files').expect(200);
    const { endpoint, publicEndpoint, forcePathStyle } = before as Record<string, unknown>;
    const aws = { endpoint: 'https://s3.eu-central-1.amazonaws.com', publicEndpoint: null, forcePathStyle: false };
    await admin.patch('/buckets/files', aws).expect(200);
    const request = { partNumbers: [1], checksums: [sha256('a')] };
    const { body } = await t.alice.post(`/uploads/${inParts}/parts`, request).expect(422);
    await admin.patch('/buckets/files', { endpoint, publicEndpoint, forcePathStyle }).expect(200);
    expect(body).toMatchObject({ code: 'checksums-not-available', errors: [{ pointer: '/checksums' }] });
    expect(await t.history(inParts)).toContain('upload-parts refused checksums-not-available alice');
    await t.alice.post(`/uploads/${inParts}/parts`, request).expect(200);
  });
});
