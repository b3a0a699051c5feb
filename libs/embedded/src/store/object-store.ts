import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import FilesystemStore, { type ObjectMetadata } from '@20minutes/s3rver/lib/stores/filesystem.js';
import { VerifiedBody, type BodyPromises } from './body-digests.js';
import { KeyLock } from './key-lock.js';
import { S3Error } from './s3-error.js';

/** A body that has arrived whole and is as promised, not yet visible to anyone. */
export interface StagedBody {
  file: string;
  size: number;
  md5Hex: string;
}

/** An object's place. */
export interface ObjectName {
  bucket: string;
  key: string;
}

/**
 * s3rver's files, written so that an object is there whole or not at all: a body is staged and verified first, then
 * put in place under the key's lock, which readers take too. An upload that breaks off neither leaves an object
 * nor holds the key.
 */
export class ObjectStore extends FilesystemStore {
  readonly uploadsDir: string;
  readonly #stagingDir: string;
  readonly #locks = new KeyLock();

  constructor(dir: string) {
    super(path.join(dir, 'buckets'));
    this.uploadsDir = path.join(dir, 'uploads');
    this.#stagingDir = path.join(dir, 'staging');
  }

  /** Makes the directories; what was staged when the last process died is dropped. */
  async open(buckets: string[]): Promise<void> {
    await rm(this.#stagingDir, { recursive: true, force: true });
    await mkdir(this.#stagingDir, { recursive: true, mode: 0o700 });
    await mkdir(this.uploadsDir, { recursive: true, mode: 0o700 });
    for (const bucket of buckets) await this.putBucket(bucket);
  }

  async stage(body: Readable, promises: BodyPromises): Promise<StagedBody> {
    const file = path.join(this.#stagingDir, randomUUID());
    const verified = new VerifiedBody(promises);
    try {
      await pipeline(body, verified, createWriteStream(file, { flags: 'wx', mode: 0o600 }));
    } catch (error) {
      await rm(file, { force: true });
      throw error;
    }
    return { file, size: verified.size, md5Hex: verified.md5Hex };
  }

  /** Makes a staged body the object. With `isNew`, of any number of simultaneous commits exactly one succeeds. */
  async commit(
    staged: StagedBody,
    { bucket, key }: ObjectName,
    { metadata, isNew, etag = staged.md5Hex }: { metadata: Record<string, string>; isNew: boolean; etag?: string },
  ): Promise<void> {
    const objectFile = this.getResourcePath(bucket, key, 'object');
    const etagFile = this.getResourcePath(bucket, key, 'object.md5');
    try {
      await this.#locks.run(`${bucket}/${key}`, async () => {
        if (isNew) await this.refuseIfExists({ bucket, key });
        await mkdir(path.dirname(objectFile), { recursive: true });
        // Without this file s3rver reckons the ETag itself: should we die now, it is never that of another content.
        await rm(etagFile, { force: true });
        await this.putMetadata(bucket, key, metadata);
        await rename(staged.file, objectFile);
        await writeFile(etagFile, etag);
      });
    } finally {
      await rm(staged.file, { force: true });
    }
  }

  async refuseIfExists({ bucket, key }: ObjectName): Promise<void> {
    if (!(await this.existsObject(bucket, key))) return;
    throw new S3Error('PreconditionFailed', 'At least one of the pre-conditions you specified did not hold', {
      Condition: 'If-None-Match',
    });
  }

  /** What is known of an object. @throws S3Error where there is none, or one of another ETag than this If-Match names. */
  async find({ bucket, key }: ObjectName, ifMatch: string | undefined): Promise<ObjectMetadata> {
    const metadata = await this.getMetadata(bucket, key).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
      throw new S3Error('NoSuchKey', 'The specified key does not exist.', { Key: key });
    });
    if (ifMatch === undefined || namesEtag(ifMatch, metadata.etag)) return metadata;
    throw new S3Error('PreconditionFailed', 'At least one of the pre-conditions you specified did not hold');
  }

  /** s3rver writes a missing ETag file here: outside of the lock, it could write that of the content before. */
  override async getMetadata(bucket: string, key: string): Promise<ObjectMetadata> {
    return this.#locks.run(`${bucket}/${key}`, () => super.getMetadata(bucket, key));
  }

  override async getObject(bucket: string, key: string, options?: unknown): Promise<object | null> {
    return this.#locks.run(`${bucket}/${key}`, () => super.getObject(bucket, key, options));
  }

  /** @param ifMatch only where this names the object's ETag. @throws S3Error where it does not, or where there is then nothing. */
  async remove({ bucket, key }: ObjectName, ifMatch: string | undefined): Promise<void> {
    await this.#locks.run(`${bucket}/${key}`, async () => {
      if (ifMatch !== undefined) await this.find({ bucket, key }, ifMatch);
      await this.deleteObject(bucket, key);
    });
  }

  /** Unlike s3rver's, leaves empty directories alone: a PUT beside it may be about to use them. */
  override async deleteObject(bucket: string, key: string): Promise<void> {
    await this.#locks.run(`${bucket}/${key}`, async () => {
      for (const resource of ['object', 'object.md5', 'metadata.json']) {
        await rm(this.getResourcePath(bucket, key, resource), { force: true });
      }
    });
  }

  /** One multipart upload's parts change one at a time. */
  async runExclusively<T>(uploadId: string, task: () => Promise<T>): Promise<T> {
    return this.#locks.run(`upload:${uploadId}`, task);
  }
}

/** Whether an If-Match or If-None-Match names this ETag. */
export function namesEtag(etags: string, etag: string): boolean {
  return etags.split(',').some((each) => ['*', etag].includes(each.trim().replace(/^W\//, '')));
}
