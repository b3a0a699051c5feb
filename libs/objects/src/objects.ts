import { createHash } from 'node:crypto';
import type { Outgoing } from '@countersign/outgoing';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import type {
  Aborted,
  Completed,
  Hashed,
  ListedParts,
  ListedUploads,
  Looked,
  PinnedToUpload,
  Removed,
  Started,
  StoredPart,
} from './answers.js';
import { answered, isGone, UNREADABLE } from './answered.js';
import { asFound, inQuotes, METADATA } from './found-object.js';
import { listParts, listUploads } from './listings.js';
import { type Asking, StoreHttpHandler } from './store-http-handler.js';

/** Where a bucket is at its store, as we reach it. */
export interface ObjectsAt {
  endpoint: string | null;
  region: string;
  bucket: string;
  forcePathStyle: boolean;
}

/** Who asks the store. */
export interface ObjectsCredential {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
}

/** Which object is read, and who hears of it. */
export interface Reading {
  etag: string;
  size: number;
  /** How long the store may send nothing: half a minute. */
  idleMs?: number;
  signal?: AbortSignal;
  onProgress?: (bytes: number) => void;
}

/** A store may put ten thousand parts together before it answers. */
const COMPLETION_LIMITS = { requestTimeout: 240_000 };

/**
 * What we ask of a store ourselves, by requests whose headers are signed: nobody else could ever use one. Each is bounded in time and size,
 * follows no redirect, and never throws for what the store does. A key is the store's: with the bucket's prefix.
 */
export class Objects {
  readonly #client: S3Client;
  readonly #bucket: string;

  /** @param signal ends whatever is under way. */
  constructor(
    outgoing: Outgoing,
    { endpoint, bucket, ...place }: ObjectsAt,
    credentials: ObjectsCredential,
    signal: AbortSignal,
  ) {
    this.#bucket = bucket;
    this.#client = new S3Client({
      ...place,
      ...(endpoint === null ? {} : { endpoint }),
      credentials,
      maxAttempts: 1,
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
      requestHandler: new StoreHttpHandler(outgoing, signal),
    });
  }

  /** What is under a key now. A refusal has S3's code, though the answer to a HEAD has no body. */
  async head(key: string): Promise<Looked> {
    const place = this.#place(key);
    const looked = await answered(this.#client.send(new HeadObjectCommand({ ...place, ChecksumMode: 'ENABLED' })));
    if (looked.kind === 'answered') return asFound(looked.answer);
    if (looked.status === 404) return { kind: 'absent' };
    if (looked.status !== 403) return looked;
    const read = await answered(this.#client.send(new GetObjectCommand({ ...place, Range: 'bytes=0-0' })));
    return read.kind === 'refused' && read.status === 403 ? read : looked;
  }

  /**
   * Takes an object away; one that is gone already is `removed` too.
   * @param etag only that one, where the store knows conditions: `changed` where the key has another by now.
   */
  async remove(key: string, { etag }: { etag?: string } = {}): Promise<Removed> {
    const condition = etag === undefined ? {} : { IfMatch: etag };
    const removed = await answered(this.#client.send(new DeleteObjectCommand({ ...this.#place(key), ...condition })));
    if (removed.kind === 'answered' || removed.status === 404) return { kind: 'removed' };
    if (etag !== undefined && removed.status === 412) return { kind: 'changed' };
    return etag !== undefined && removed.status === 501 ? this.remove(key) : removed;
  }

  /** Starts a multipart upload. */
  async startUpload(key: string, { contentType, disposition, acl, uploadId }: PinnedToUpload): Promise<Started> {
    const start = new CreateMultipartUploadCommand({
      ...this.#place(key),
      ContentType: contentType,
      Metadata: { [METADATA]: uploadId },
      ...(disposition === null ? {} : { ContentDisposition: disposition }),
      ...(acl === 'none' ? {} : { ACL: acl }),
    });
    const started = await answered(this.#client.send(start));
    if (started.kind === 'refused') return started;
    const { UploadId } = started.answer;
    return UploadId ? { kind: 'started', storeUploadId: UploadId } : UNREADABLE;
  }

  /** All that has arrived, in order of their numbers. */
  listParts(key: string, storeUploadId: string): Promise<ListedParts> {
    return listParts(this.#client, { ...this.#place(key), UploadId: storeUploadId });
  }

  /**
   * Makes the object of these parts, ascending. It may take minutes. `completed` again where it was already, or `gone`; of an aborted one
   * Ceph 16 says `500 InternalError`, and `listParts` that it is gone.
   * @param isNew only where nothing has the key yet, where the store knows such a condition.
   */
  async completeUpload(
    key: string,
    storeUploadId: string,
    parts: readonly Pick<StoredPart, 'partNumber' | 'etag'>[],
    { isNew }: { isNew: boolean },
  ): Promise<Completed> {
    const complete = new CompleteMultipartUploadCommand({
      ...this.#place(key),
      UploadId: storeUploadId,
      MultipartUpload: { Parts: parts.map(({ partNumber, etag }) => ({ PartNumber: partNumber, ETag: etag })) },
      ...(isNew ? { IfNoneMatch: '*' } : {}),
    });
    const completed = await answered(this.#client.send(complete, COMPLETION_LIMITS));
    if (completed.kind === 'answered') {
      const { ETag, Key } = completed.answer;
      if (!ETag && !Key) return UNREADABLE;
      return { kind: 'completed', etag: ETag ? inQuotes(ETag) : null };
    }
    const { status, code, why } = completed;
    if (isGone(completed)) return { kind: 'gone' };
    if (status === 412) return { kind: 'exists' };
    if (status === 409) return { kind: 'conflict' };
    if (WRONG_PARTS.has(code)) return { kind: 'wrong-parts', why };
    return isNew && status === 501 ? this.completeUpload(key, storeUploadId, parts, { isNew: false }) : completed;
  }

  async abortUpload(key: string, storeUploadId: string): Promise<Aborted> {
    const abort = new AbortMultipartUploadCommand({ ...this.#place(key), UploadId: storeUploadId });
    const aborted = await answered(this.#client.send(abort));
    if (aborted.kind === 'answered') return { kind: 'aborted' };
    return isGone(aborted) ? { kind: 'gone' } : aborted;
  }

  /** The multipart uploads of exactly this key that are under way, whoever started them. */
  startedUploads(key: string): Promise<ListedUploads> {
    return listUploads(this.#client, this.#place(key));
  }

  /**
   * Reads an object once and hashes it as it comes, without ever holding it. It may take as long as bytes arrive, 64 kB a second and more.
   * @param etag which one, and its `size`: as `head` found it.
   * @param onProgress hears how many bytes were read, at most once a second.
   */
  async sha256(key: string, { etag, size, idleMs = 30_000, signal, onProgress }: Reading): Promise<Hashed> {
    const hash = createHash('sha256');
    let read = 0;
    const startedAt = performance.now();
    let saidAt = startedAt;
    const sink = (chunk: Uint8Array): void => {
      read += chunk.byteLength;
      // Attack: a store that sends without end.
      if (read > size) throw new Error('it sent more than the object has');
      hash.update(chunk);
      const now = performance.now();
      // Attack: a store that sends a byte now and then holds a worker for years.
      if (read < (now - startedAt - idleMs) * SLOWEST_BYTES_PER_MS) throw new Error('it sends too slowly');
      if (now - saidAt < PROGRESS_EVERY_MS) return;
      saidAt = now;
      onProgress?.(read);
    };
    const get = new GetObjectCommand({ ...this.#place(key), IfMatch: etag });
    const asking: Asking = { reader: { sink, idleMs }, ...(signal && { signal }) };
    const got = await answered(this.#client.send(get, asking));
    if (got.kind === 'answered') return { kind: 'hashed', size: read, checksumSha256: hash.digest('base64') };
    if (got.status === 404) return { kind: 'absent' };
    return got.status === 412 ? { kind: 'changed' } : got;
  }

  #place(Key: string): { Bucket: string; Key: string } {
    return { Bucket: this.#bucket, Key };
  }
}

const PROGRESS_EVERY_MS = 1_000;

const SLOWEST_BYTES_PER_MS = 64;

/** Amazon S3 API Reference, "CompleteMultipartUpload", its errors. */
const WRONG_PARTS = new Set(['InvalidPart', 'InvalidPartOrder', 'EntityTooSmall']);
