import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { CountersignError, StoreError, UploadError, UploadRejectedError } from '@countersign/client';
import { MIB, progressLog, rejection, UploadTest } from './upload-fixture.js';

// They move many megabytes, on machines that have other things to do.
jest.setTimeout(90_000);

let t: UploadTest;
beforeAll(async () => {
  t = await UploadTest.start();
});
afterAll(() => t.stop());

describe('upload', () => {
  it.each([
    ['no byte', 0, 'auto', 'put'],
    ['1 byte', 1, 'auto', 'put'],
    ['5 MiB', 5 * MIB, 'auto', 'put'],
    ['5 MiB in parts', 5 * MIB, 'multipart', 'multipart'],
    ['20 MiB in parts', 20 * MIB + 1, 'multipart', 'multipart'],
  ] as const)('stores %s, verified, and tells of every byte', async (_name, size, mode, chosen) => {
    const client = await t.client();
    const { file, bytes } = await t.file(size);
    const place = t.freshPlace();
    const { told, onProgress } = progressLog();

    const verified = await client.upload(file, { ...place, mode, onProgress });

    expect(verified).toMatchObject({ state: 'verified', size, contentType: 'text/plain', ...place });
    expect(verified.verified).toEqual(expect.arrayContaining(['size', 'type']));
    expect(((await t.stored(place)) as Buffer).equals(bytes)).toBe(true);
    expect(await client.getUpload(verified.id)).toMatchObject({ mode: chosen, state: 'verified', ...place });
    expect(told.at(-1)).toEqual({ sentBytes: size, totalBytes: size });
    expectNeverBack(told.map(({ sentBytes }) => sentBytes));
  });

  it('names the object after the file, behind a prefix', async () => {
    const file = new File(['hello'], 'hello.txt');
    const prefix = `${t.freshPlace().key}/`;
    const verified = await (await t.client()).upload(file, { bucket: 'files', prefix });
    expect(verified).toMatchObject({ key: `${prefix}hello.txt`, contentType: 'application/octet-stream' });
  });

  it('promises the SHA-256 where it is asked to, and it is verified', async () => {
    const { file, bytes } = await t.file(MIB);
    const verified = await (await t.client()).upload(file, { ...t.freshPlace(), checksum: true });
    expect(verified.checksumSha256).toBe(createHash('sha256').update(bytes).digest('base64'));
    expect(verified.verified).toContain('checksum');
  });

  it('pins the SHA-256 of each part where it is asked to', async () => {
    const { file, bytes } = await t.file(18 * MIB);
    const place = t.freshPlace();
    await (await t.client()).upload(file, { ...place, mode: 'multipart', partChecksums: true, concurrency: 2 });
    expect(((await t.stored(place)) as Buffer).equals(bytes)).toBe(true);
  });

  it('of a file that changed after it was hashed is rejected, and the object is gone', async () => {
    const place = t.freshPlace();
    const before = Uint8Array.of(1, 2, 3);
    const file = new ChangedFile(before, Uint8Array.from(randomBytes(6 * MIB)));
    const upload = (await t.client()).upload(file, { ...place, mode: 'multipart', checksum: true });
    const checksum = createHash('sha256').update(before).digest('base64');
    const error = await rejection(upload, UploadRejectedError);
    expect(error.mismatches).toMatchObject([{ what: 'checksum', expected: checksum }]);
    expect(await (await t.client()).getUpload(error.uploadId)).toMatchObject({ state: 'rejected' });
    expect(await t.stored(place)).toBe(404);
  });

  it('of an object that is there already fails with a 412 of the store, and leaves it', async () => {
    const client = await t.client();
    const place = t.freshPlace();
    await client.upload(new Blob(['first']), place);
    const error = await rejection(client.upload(new Blob(['other']), place), UploadError);
    expect(error.cause).toBeInstanceOf(StoreError);
    expect(error.cause).toMatchObject({ status: 412 });
    expect(String(await t.stored(place))).toBe('first');
  });

  it('that the service refuses is a CountersignError at once, without a second try', async () => {
    let calls = 0;
    const client = await t.client((request) => {
      calls += 1;
      return fetch(request);
    });
    const elsewhere = { bucket: 'files', key: 'users/bob/file' };
    const error = await rejection(client.upload(new Blob(['hello']), elsewhere), CountersignError);
    expect([error.code, calls]).toEqual(['not-granted', 1]);
  });

  it('of a Blob without a name asks for one', async () => {
    await expect((await t.client()).upload(new Blob(['hello']), { bucket: 'files' })).rejects.toThrow('has no name');
  });
});

/** Read whole it is as it was before; cut into parts, as it is now. */
class ChangedFile extends Blob {
  constructor(
    private readonly before: Uint8Array<ArrayBuffer>,
    now: Uint8Array<ArrayBuffer>,
  ) {
    super([now], { type: 'text/plain' });
  }

  override async arrayBuffer(): Promise<ArrayBuffer> {
    return new Blob([this.before]).arrayBuffer();
  }
}

function expectNeverBack(bytes: number[]): void {
  expect(bytes).toEqual([...new Set(bytes)].sort((one, other) => one - other));
}
