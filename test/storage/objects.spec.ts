import { createHash, randomUUID } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { PutObjectCommand, UploadPartCommand } from '@aws-sdk/client-s3';
import { describe, expect, it } from '@jest/globals';
import { isPerhapsAbsent, Objects } from '@countersign/objects';
import { clientOf } from './store-bucket.js';
import { OUTGOING } from '../support/outgoing.js';

const env = process.env;
const isCeph = env['STORAGE_KIND'] === 'ceph-rgw';
const Bucket = env['STORAGE_BUCKET'] ?? '';
const credential = {
  accessKeyId: env['STORAGE_ACCESS_KEY_ID'] ?? '',
  secretAccessKey: env['STORAGE_SECRET_ACCESS_KEY'] ?? '',
};
const at = {
  endpoint: env['STORAGE_ENDPOINT'] ?? '',
  region: env['STORAGE_REGION'] ?? '',
  bucket: Bucket,
  forcePathStyle: true,
};
const NEVER = new AbortController().signal;
const objects = new Objects(OUTGOING, at, credential, NEVER);
const client = clientOf(credential);

const MIB = 1024 ** 2;
const UPLOAD_ID = randomUUID();
const PINNED = { contentType: 'text/plain', disposition: 'attachment', acl: 'private', uploadId: UPLOAD_ID } as const;

const freshKey = (): string => `objects/${randomUUID()}/a file (1) ü+%.txt`;

async function store(key: string, body: string | Buffer, more: object = {}): Promise<void> {
  await client.send(new PutObjectCommand({ Bucket, Key: key, Body: body, ContentType: 'text/plain', ...more }));
}

/** An upload of parts of these sizes, all of which have arrived. */
async function startWith(key: string, bodies: Buffer[]) {
  const started = await objects.startUpload(key, PINNED);
  if (started.kind !== 'started') throw new Error(started.why);
  const { storeUploadId } = started;
  const parts = [];
  for (const [index, Body] of bodies.entries()) {
    const part = { Bucket, Key: key, UploadId: storeUploadId, PartNumber: index + 1, Body };
    parts.push({ partNumber: index + 1, etag: (await client.send(new UploadPartCommand(part))).ETag ?? '' });
  }
  return { storeUploadId, parts };
}

describe('head', () => {
  it('says what the store holds, and which upload it came by', async () => {
    const key = freshKey();
    expect(await objects.head(key)).toEqual({ kind: 'absent' });
    await store(key, 'twelve bytes', { Metadata: { 'countersign-upload': UPLOAD_ID } });
    expect(await objects.head(key)).toEqual({
      kind: 'found',
      size: 12,
      contentType: 'text/plain',
      etag: `"${createHash('md5').update('twelve bytes').digest('hex')}"`,
      lastModified: expect.any(Date),
      uploadId: UPLOAD_ID,
      checksumSha256: null,
    });
  });

  it('shows an object that came by no upload of ours as just that', async () => {
    const key = freshKey();
    await store(key, "somebody else's");
    expect(await objects.head(key)).toMatchObject({ kind: 'found', uploadId: null });
  });

  it('tells a signing key that is dead from an object that is not there yet', async () => {
    const dead = new Objects(OUTGOING, at, { ...credential, secretAccessKey: 'another secret' }, NEVER);
    const looked = await dead.head(freshKey());
    expect(looked).toMatchObject({ kind: 'refused', status: 403, code: 'SignatureDoesNotMatch' });
    expect(looked.kind === 'refused' && isPerhapsAbsent(looked)).toBe(false);
  });
});

describe('a multipart upload', () => {
  it('is started, listed and completed, and the object is known by what was pinned at the start', async () => {
    const key = freshKey();
    const bodies = [Buffer.alloc(5 * MIB, 'a'), Buffer.from('rest')];
    const { storeUploadId, parts } = await startWith(key, bodies);
    expect(await objects.listParts(key, storeUploadId)).toEqual({
      kind: 'listed',
      parts: parts.map((part, index) => ({ ...part, size: bodies[index]!.length })),
    });
    expect(await objects.head(key)).toEqual({ kind: 'absent' });
    const completed = await objects.completeUpload(key, storeUploadId, parts, { isNew: true });
    const md5s = Buffer.concat(bodies.map((body) => createHash('md5').update(body).digest()));
    const etag = `"${createHash('md5').update(md5s).digest('hex')}-2"`;
    // Ceph 16 says no ETag here.
    expect(completed).toEqual({ kind: 'completed', etag: isCeph ? null : etag });
    const found = {
      kind: 'found',
      size: 5 * MIB + 4,
      contentType: 'text/plain',
      etag,
      uploadId: UPLOAD_ID,
      checksumSha256: null,
    };
    expect(await objects.head(key)).toMatchObject(found);
    expect(await objects.listParts(key, storeUploadId)).toEqual({ kind: 'gone' });
    expect(await objects.abortUpload(key, storeUploadId)).toEqual({ kind: 'gone' });
    expect(await objects.head(key)).toMatchObject(found);
  });

  it('that is completed twice at once makes one object, and nobody is told that it is not there', async () => {
    const key = freshKey();
    const { storeUploadId, parts } = await startWith(key, [Buffer.alloc(5 * MIB, 'a'), Buffer.from('rest')]);
    const complete = () => objects.completeUpload(key, storeUploadId, parts, { isNew: false });
    const kinds = (await Promise.all([complete(), complete()])).map(({ kind }) => kind);
    expect(kinds).toContain('completed');
    expect(await objects.head(key)).toMatchObject({ kind: 'found', size: 5 * MIB + 4 });
    // Amazon S3 and Ceph say again that it is complete; the embedded store that it is gone.
    expect(['completed', 'gone']).toContain((await complete()).kind);
  });

  it('is not completed by parts that the store has not, and loses nothing by it', async () => {
    const key = freshKey();
    const { storeUploadId, parts } = await startWith(key, [Buffer.from('small'), Buffer.from('rest')]);
    const [first, second] = parts as [(typeof parts)[0], (typeof parts)[0]];
    const complete = (listed: typeof parts) => objects.completeUpload(key, storeUploadId, listed, { isNew: false });
    expect(await complete([first, { partNumber: 3, etag: second.etag }])).toMatchObject({ kind: 'wrong-parts' });
    expect(await complete([{ ...first, etag: second.etag }, second])).toMatchObject({ kind: 'wrong-parts' });
    expect(await complete([first, second])).toEqual({ kind: 'wrong-parts', why: '400 EntityTooSmall' });
    expect(await objects.listParts(key, storeUploadId)).toMatchObject({ parts });
    await objects.abortUpload(key, storeUploadId);
  });

  it('that wants a new object does not replace one, where the store knows the condition', async () => {
    const key = freshKey();
    const { storeUploadId, parts } = await startWith(key, [Buffer.from('parts')]);
    await store(key, 'before');
    const completed = await objects.completeUpload(key, storeUploadId, parts, { isNew: true });
    // Ceph 16 does not know it, and replaces: so the service looks before.
    expect(completed.kind).toBe(isCeph ? 'completed' : 'exists');
    expect(await objects.head(key)).toMatchObject({ size: isCeph ? 'parts'.length : 'before'.length });
    await objects.abortUpload(key, storeUploadId);
  });

  it('is aborted once, and is gone after that, for every verb', async () => {
    const key = freshKey();
    const { storeUploadId, parts } = await startWith(key, [Buffer.from('parts')]);
    expect(await objects.abortUpload(key, storeUploadId)).toEqual({ kind: 'aborted' });
    expect(await objects.abortUpload(key, storeUploadId)).toEqual({ kind: 'gone' });
    expect(await objects.listParts(key, storeUploadId)).toEqual({ kind: 'gone' });
    const completed = await objects.completeUpload(key, storeUploadId, parts, { isNew: false });
    // Ceph 16 has a 500 for it.
    expect(completed).toMatchObject(isCeph ? { kind: 'refused', status: 500 } : { kind: 'gone' });
    expect(await objects.startedUploads(key)).toEqual({ kind: 'listed', uploads: [] });
    expect(await objects.head(key)).toEqual({ kind: 'absent' });
  });

  it('is found by exactly its key, with the time of its start', async () => {
    const key = freshKey();
    const before = Date.now();
    const [mine, again] = [await startWith(key, []), await startWith(key, [])];
    // Attack: the uploads of other keys, which begin like this one, would be aborted with it.
    const longer = await startWith(`${key}.bak`, []);
    const listed = await objects.startedUploads(key);
    if (listed.kind !== 'listed') throw new Error(listed.why);
    expect(listed.uploads.map(({ storeUploadId }) => storeUploadId).sort()).toEqual(
      [mine.storeUploadId, again.storeUploadId].sort(),
    );
    for (const { initiatedAt } of listed.uploads) expect(Math.abs(initiatedAt.getTime() - before)).toBeLessThan(10_000);
    for (const { storeUploadId } of [mine, again]) await objects.abortUpload(key, storeUploadId);
    await objects.abortUpload(`${key}.bak`, longer.storeUploadId);
  });

  // The embedded store would be busy with them for a minute; test/objects has its pages.
  if (isCeph) {
    it('has all of its parts listed, however many pages they are', async () => {
      const key = freshKey();
      const { storeUploadId } = await startWith(key, []);
      const numbers = Array.from({ length: 1_020 }, (_, index) => index + 1);
      for (let first = 0; first < numbers.length; first += 20) {
        const batch = numbers.slice(first, first + 20);
        await Promise.all(
          batch.map((PartNumber) =>
            client.send(new UploadPartCommand({ Bucket, Key: key, UploadId: storeUploadId, PartNumber, Body: 'x' })),
          ),
        );
      }
      const listed = await objects.listParts(key, storeUploadId);
      expect(listed.kind === 'listed' && listed.parts.map(({ partNumber }) => partNumber)).toEqual(numbers);
      await objects.abortUpload(key, storeUploadId);
    }, 60_000);
  }
});

describe('remove', () => {
  it('takes an object away, and one that is gone is gone', async () => {
    const key = freshKey();
    await store(key, 'something');
    expect(await objects.remove(key)).toEqual({ kind: 'removed' });
    expect(await objects.head(key)).toEqual({ kind: 'absent' });
    expect(await objects.remove(key)).toEqual({ kind: 'removed' });
    expect(await objects.remove(key, { etag: '"of no object"' })).toEqual({ kind: 'removed' });
  });

  it('leaves an object that came after a look alone, where the store knows the condition', async () => {
    // Attack: between our look and our DELETE somebody else's object takes the place of the one that was rejected.
    const key = freshKey();
    await store(key, 'another');
    const removed = await objects.remove(key, { etag: '"of the one before"' });
    expect(removed.kind).toBe(isCeph ? 'removed' : 'changed');
    expect((await objects.head(key)).kind).toBe(isCeph ? 'absent' : 'found');
  });
});

describe('sha256', () => {
  it('hashes 20 MiB as they come, and tells how far it is', async () => {
    const key = freshKey();
    const body = Buffer.alloc(20 * MIB, 'twenty');
    await store(key, body);
    const found = await objects.head(key);
    if (found.kind !== 'found') throw new Error(found.kind);
    expect(await objects.sha256(key, found)).toEqual({
      kind: 'hashed',
      size: body.length,
      checksumSha256: createHash('sha256').update(body).digest('base64'),
    });
  });

  it('hashes what is stored, and not what it unpacks to', async () => {
    // Attack: packed bytes are sent with a Content-Encoding that nobody signed, and pass for what they unpack to.
    const key = freshKey();
    const packed = gzipSync('what was promised');
    await store(key, packed, { ContentEncoding: 'gzip' });
    const found = await objects.head(key);
    if (found.kind !== 'found') throw new Error(found.kind);
    const checksumSha256 = createHash('sha256').update(packed).digest('base64');
    expect(await objects.sha256(key, found)).toEqual({ kind: 'hashed', size: packed.length, checksumSha256 });
  });

  it('never takes another object for the one that was looked at', async () => {
    const key = freshKey();
    expect(await objects.sha256(key, { etag: '"x"', size: 4 })).toEqual({ kind: 'absent' });
    await store(key, 'four');
    expect(await objects.sha256(key, { etag: '"of the one before"', size: 4 })).toEqual({ kind: 'changed' });
  });

  it('hashes an empty object', async () => {
    const key = freshKey();
    await store(key, Buffer.alloc(0));
    const found = await objects.head(key);
    if (found.kind !== 'found') throw new Error(found.kind);
    const checksumSha256 = createHash('sha256').digest('base64');
    expect(await objects.sha256(key, found)).toEqual({ kind: 'hashed', size: 0, checksumSha256 });
  });
});
