import { AbortMultipartUploadCommand, CompleteMultipartUploadCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { CountersignError, UploadError, type UploadProgress } from '@countersign/client';
import { asOwner } from '../api/calls.js';
import { MIB, progressLog, rejection, UploadTest } from './upload-fixture.js';

// They move many megabytes, on machines that have other things to do.
jest.setTimeout(90_000);

let t: UploadTest;
beforeAll(async () => {
  t = await UploadTest.start();
});
afterAll(() => t.stop());

/** Begins to upload a file, and stops once so much of it is there. */
async function stopAt(bytes: number, file: Blob, options: object = {}) {
  const client = await t.client();
  const place = t.freshPlace();
  const controller = new AbortController();
  const onProgress = ({ sentBytes }: UploadProgress): void => {
    if (sentBytes >= bytes) controller.abort(new Error('the user went away'));
  };
  const { signal } = controller;
  const wanted = { ...place, mode: 'multipart' as const, concurrency: 1, signal, onProgress, ...options };
  return { client, place, error: await rejection(client.upload(file, wanted), UploadError) };
}

describe('An upload that was stopped', () => {
  it('is resumed: what the store has is not sent again, and counts as sent', async () => {
    const { file, bytes } = await t.file(40 * MIB);
    const { client, place, error } = await stopAt(16 * MIB, file);
    expect((error.cause as Error).message).toBe('the user went away');
    const { parts } = await storedParts(error.uploadId);
    expect(parts.map(({ partNumber }) => partNumber)).toEqual([1, 2]);

    const { sentBytes } = t.proxy;
    const { told, onProgress } = progressLog();
    const verified = await client.upload(file, { resume: error.uploadId, onProgress });

    expect(verified).toMatchObject({ state: 'verified', id: error.uploadId, ...place });
    expect(t.proxy.sentBytes - sentBytes).toBeLessThan(24 * MIB + 64 * 1024);
    expect(told.at(1)).toEqual({ sentBytes: 16 * MIB, totalBytes: 40 * MIB });
    expect(told.at(-1)).toEqual({ sentBytes: 40 * MIB, totalBytes: 40 * MIB });
    expect(((await t.stored(place)) as Buffer).equals(bytes)).toBe(true);
  });

  it('is not resumed with a file of another size', async () => {
    const { file } = await t.file(20 * MIB);
    const { client, error } = await stopAt(8 * MIB, file);
    const other = client.upload(file.slice(1), { resume: error.uploadId });
    expect((await rejection(other, UploadError)).cause).toBeInstanceOf(RangeError);
  });

  it('is ended at the service where that was asked for, and then cannot be resumed', async () => {
    const { file } = await t.file(20 * MIB);
    const { client, error } = await stopAt(8 * MIB, file, { abortUpload: true });
    expect(await client.getUpload(error.uploadId)).toMatchObject({ state: 'aborted' });
    const again = await rejection(client.upload(file, { resume: error.uploadId }), UploadError);
    expect(again.cause).toMatchObject({ code: 'wrong-state' });
  });

  it('is ended by abortUpload, also twice', async () => {
    const { file } = await t.file(20 * MIB);
    const { client, error } = await stopAt(8 * MIB, file);
    await client.abortUpload(error.uploadId);
    await client.abortUpload(error.uploadId);
    expect(await client.getUpload(error.uploadId)).toMatchObject({ state: 'aborted' });
    await expect(storedParts(error.uploadId)).rejects.toBeInstanceOf(CountersignError);
  });

  it('is verified where its parts were put together already, and the service died before that was on record', async () => {
    const { file, bytes } = await t.file(20 * MIB);
    const { client, place, error } = await stopAt(20 * MIB, file);
    const { parts } = await storedParts(error.uploadId);
    await atStore(error.uploadId, (named) => {
      const MultipartUpload = { Parts: parts.map(({ partNumber, etag }) => ({ PartNumber: partNumber, ETag: etag })) };
      return new CompleteMultipartUploadCommand({ ...named, MultipartUpload });
    });
    await expect(storedParts(error.uploadId)).rejects.toMatchObject({ code: 'wrong-state' });

    const { sentBytes } = t.proxy;
    const verified = await client.upload(file, { resume: error.uploadId });
    expect(verified).toMatchObject({ state: 'verified', id: error.uploadId, ...place });
    expect(t.proxy.sentBytes).toBe(sentBytes);
    expect(((await t.stored(place)) as Buffer).equals(bytes)).toBe(true);
  });

  it('cannot be resumed where its parts are gone and nothing was made of them', async () => {
    const { file } = await t.file(20 * MIB);
    const { client, error } = await stopAt(8 * MIB, file);
    await atStore(error.uploadId, (named) => new AbortMultipartUploadCommand(named));
    const again = await rejection(client.upload(file, { resume: error.uploadId }), UploadError);
    expect(again.cause).toMatchObject({ code: 'wrong-state' });
  });

  it('before it began is no upload: the reason of the signal is what is thrown', async () => {
    const reason = new Error('too late');
    const upload = (await t.client()).upload(new Blob(['a']), { ...t.freshPlace(), signal: AbortSignal.abort(reason) });
    await expect(upload).rejects.toBe(reason);
  });
});

describe('An upload in one request is resumed', () => {
  it('as what it is, where it has come whole and nobody heard of it', async () => {
    const client = await t.client();
    const place = t.freshPlace();
    const wanted = { ...place, contentType: 'text/plain', contentLength: 5 };
    const issued = await client.createUploadUrl(wanted);
    await fetch(issued.url, { method: issued.method, headers: issued.headers, body: 'hello' });
    const verified = await client.upload(new Blob(['hello']), { resume: issued.uploadId });
    expect(verified).toMatchObject({ id: issued.uploadId, state: 'verified' });
    expect(await client.upload(new Blob(['hello']), { resume: issued.uploadId })).toEqual(verified);
  });

  it('by a new one in its place, where nothing has come', async () => {
    const client = await t.client();
    const place = t.freshPlace();
    const issued = await client.createUploadUrl({ ...place, contentType: 'text/plain', contentLength: 5 });
    const verified = await client.upload(new Blob(['hello']), { resume: issued.uploadId });
    expect(verified).toMatchObject({ state: 'verified', contentType: 'text/plain', ...place });
    expect(verified.id).not.toBe(issued.uploadId);
  });
});

/** A request about a multipart upload that the service does not hear of. */
async function atStore(
  id: string,
  commandFor: (named: {
    Bucket: string;
    Key: string;
    UploadId: string;
  }) => CompleteMultipartUploadCommand | AbortMultipartUploadCommand,
): Promise<void> {
  const [upload] = await asOwner<{ bucket: string; key: string; store_upload_id: string }>(
    `SELECT b.bucket, b.key_prefix || u.key AS key, u.store_upload_id FROM uploads u JOIN buckets b ON b.id = u.bucket_id WHERE u.id = $1`,
    [id],
  );
  const { STORAGE_ENDPOINT: endpoint = '', STORAGE_REGION: region = '' } = process.env;
  const { STORAGE_ACCESS_KEY_ID: accessKeyId = '', STORAGE_SECRET_ACCESS_KEY: secretAccessKey = '' } = process.env;
  const credentials = { accessKeyId, secretAccessKey };
  const store = new S3Client({ endpoint, region, credentials, forcePathStyle: true });
  const { bucket: Bucket = '', key: Key = '', store_upload_id: UploadId = '' } = upload ?? {};
  await store.send(commandFor({ Bucket, Key, UploadId }));
  store.destroy();
}

async function storedParts(id: string) {
  const { api } = await t.client();
  const { data } = await api.GET('/uploads/{id}/parts', { params: { path: { id } } });
  return data ?? { parts: [] };
}
