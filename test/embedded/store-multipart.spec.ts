import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  UploadPartCommand,
  type CompletedPart,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { BUCKET, TestStore, refusal } from './store-fixture.js';

let t: TestStore;
beforeAll(async () => {
  t = await TestStore.start();
});
afterAll(() => t.stop());

const FIVE_MIB = 'a'.repeat(5 * 1024 ** 2);

async function begin(key: string) {
  const at = { Bucket: BUCKET, Key: key };
  const { UploadId } = await t.client.send(new CreateMultipartUploadCommand({ ...at, ContentType: 'text/x' }));
  const upload = { ...at, UploadId };
  return {
    upload,
    part: async (number: number, body: string): Promise<CompletedPart> => {
      const url = await getSignedUrl(t.client, new UploadPartCommand({ ...upload, PartNumber: number }));
      const response = await fetch(url, { method: 'PUT', body });
      if (!response.ok) throw new Error(await refusal(response));
      return { PartNumber: number, ETag: response.headers.get('etag')! };
    },
    complete: (Parts: CompletedPart[]) =>
      t.client.send(new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts } })),
  };
}

test('parts become the object, in their order, with the type of the start and the ETag that S3 makes', async () => {
  const { upload, part, complete } = await begin('whole');
  const second = await part(2, 'tail');
  await part(1, 'replaced');
  const first = await part(1, FIVE_MIB);
  const { Parts } = await t.client.send(new ListPartsCommand(upload));
  expect(Parts?.map(({ PartNumber, Size }) => [PartNumber, Size])).toEqual([
    [1, 5 * 1024 ** 2],
    [2, 4],
  ]);

  const { ETag } = await complete([first, second]);
  expect(ETag).toMatch(/^"[0-9a-f]{32}-2"$/);
  const read = await fetch(await t.presignGet('whole'));
  expect([read.headers.get('etag'), read.headers.get('content-type')]).toEqual([ETag, 'text/x']);
  expect(await read.text()).toBe(`${FIVE_MIB}tail`);
  expect(await readdir(path.join(t.dir, 'uploads'))).toEqual([]);
});

test('a list that does not fit the parts is refused, and nothing is lost', async () => {
  // Attack: one completion that names a missing part ends s3rver's process.
  const before = t.store.processId;
  const { part, complete } = await begin('list');
  const first = await part(1, 'small');
  const second = await part(2, 'tail');
  const refused = async (parts: CompletedPart[], name: string) =>
    expect(complete(parts)).rejects.toMatchObject({ name });
  await refused([first, { PartNumber: 3, ETag: second.ETag }], 'InvalidPart');
  await refused([{ PartNumber: 1, ETag: second.ETag }], 'InvalidPart');
  await refused([second, first], 'InvalidPartOrder');
  await refused([first, second], 'EntityTooSmall');
  await refused([], 'MalformedXML');
  expect(await t.read('list')).toBe('NoSuchKey');
  await complete([second]);
  expect(await t.read('list')).toBe('tail');
  expect(t.store.processId).toBe(before);
});

test('an upload belongs to its object, and its id leads nowhere else', async () => {
  // Attack: parts uploaded under one key are completed under another; an id of `../` reads the disk.
  const { upload } = await begin('mine');
  for (const other of [
    { ...upload, Key: 'yours' },
    { ...upload, UploadId: '../../x' },
    { ...upload, UploadId: '0' },
  ]) {
    await expect(t.client.send(new ListPartsCommand(other))).rejects.toMatchObject({ name: 'NoSuchUpload' });
    const put = t.client.send(new UploadPartCommand({ ...other, PartNumber: 1, Body: 'x' }));
    await expect(put).rejects.toMatchObject({ name: 'NoSuchUpload' });
  }
  for (const PartNumber of [0, 10_001]) {
    const put = t.client.send(new UploadPartCommand({ ...upload, PartNumber, Body: 'x' }));
    await expect(put).rejects.toMatchObject({ name: 'InvalidArgument' });
  }
});

test('an aborted upload is gone', async () => {
  const { upload, part, complete } = await begin('aborted');
  const first = await part(1, 'x');
  await t.client.send(new AbortMultipartUploadCommand(upload));
  await expect(complete([first])).rejects.toMatchObject({ name: 'NoSuchUpload' });
});

test('parts are listed page by page, each once', async () => {
  const { upload, part } = await begin('pages');
  for (const number of [1, 2, 7]) await part(number, `part ${number}`);
  const page = async (marker: string) => {
    const listed = await t.client.send(new ListPartsCommand({ ...upload, MaxParts: 2, PartNumberMarker: marker }));
    return [listed.IsTruncated, listed.NextPartNumberMarker, listed.Parts?.map(({ PartNumber }) => PartNumber)];
  };
  expect(await page('0')).toEqual([true, '2', [1, 2]]);
  expect(await page('2')).toEqual([false, '7', [7]]);
});

test('uploads under way are listed by their keys, page by page, with the time of their start', async () => {
  const startedAt = Date.now();
  const [first, second, other] = [await begin('listed/a'), await begin('listed/a'), await begin('listed/ab')];
  const gone = await begin('listed/gone');
  await t.client.send(new AbortMultipartUploadCommand(gone.upload));
  const list = async (more: object) => t.client.send(new ListMultipartUploadsCommand({ Bucket: BUCKET, ...more }));

  const all = await list({ Prefix: 'listed/' });
  const ids = [first, second].map(({ upload }) => upload.UploadId!).sort();
  const expected = [...ids, other.upload.UploadId!];
  expect(all.Uploads?.map(({ UploadId }) => UploadId)).toEqual(expected);
  expect(all.IsTruncated).toBe(false);
  for (const { Initiated } of all.Uploads ?? []) expect(Math.abs(+Initiated! - startedAt)).toBeLessThan(10_000);

  const seen: (string | undefined)[] = [];
  let markers = {};
  for (let isTruncated = true; isTruncated;) {
    const page = await list({ Prefix: 'listed/', MaxUploads: 1, ...markers });
    expect(page.Uploads).toHaveLength(1);
    seen.push(page.Uploads?.[0]?.UploadId);
    markers = { KeyMarker: page.NextKeyMarker, UploadIdMarker: page.NextUploadIdMarker };
    isTruncated = page.IsTruncated ?? false;
  }
  expect(seen).toEqual(expected);
  expect((await list({ Prefix: 'nobody/' })).Uploads).toBeUndefined();
});

test('metadata of the start is kept with the object; a completion that wants a new object does not replace one', async () => {
  const at = { Bucket: BUCKET, Key: 'new only' };
  const { UploadId } = await t.client.send(new CreateMultipartUploadCommand({ ...at, Metadata: { note: 'mine' } }));
  const { ETag } = await t.client.send(new UploadPartCommand({ ...at, UploadId, PartNumber: 1, Body: 'parts' }));
  const complete = (more: object) =>
    t.client.send(
      new CompleteMultipartUploadCommand({
        ...at,
        UploadId,
        MultipartUpload: { Parts: [{ PartNumber: 1, ETag }] },
        ...more,
      }),
    );
  await t.put('new only', 'before');
  await expect(complete({ IfNoneMatch: '*' })).rejects.toMatchObject({ name: 'PreconditionFailed' });
  expect(await t.read('new only')).toBe('before');
  await complete({});
  expect((await t.client.send(new HeadObjectCommand(at))).Metadata).toEqual({ note: 'mine' });
});
