import type { Aspect, Mismatch } from './verify.js';

/** How the bytes come: by one URL of an exact size, by a form within a range of sizes, or in parts. */
export type UploadMode = 'put' | 'post' | 'multipart';

/**
 * `pending`: nothing of ours was seen at the store. `uploaded`: it is there and not yet verified. The others are ends: `verified` and
 * `rejected` for good, `expired` unless the object comes after all, and `aborted`, after which an object that comes is removed.
 */
export type UploadState = 'pending' | 'uploaded' | 'verified' | 'rejected' | 'expired' | 'aborted';

/** The life of one object from its upload URL to its end: what was promised, and what was found. */
export interface Upload {
  /** The issuance's; the object carries it, so that it is known by which upload it came. */
  id: string;
  tenantId: string;
  /** Whose it is, with the tenant. */
  subject: string;
  bucketId: string;
  /** The bucket's registered name. */
  bucket: string;
  /** Without the bucket's prefix. */
  key: string;
  useCase: string;
  mode: UploadMode;
  state: UploadState;
  contentType: string;
  /** Null of a form, which has a range. */
  contentLength: number | null;
  contentLengthRange: { min: number; max: number } | null;
  /** Base64. */
  checksumSha256: string | null;
  overwrite: boolean;
  disposition: string | null;
  /** Of multipart. */
  partSize: number | null;
  partCount: number | null;
  /** The store's name for a multipart upload; null until it has said it. */
  storeUploadId: string | null;
  /** Nobody may download the key until this upload is verified. */
  withheld: boolean;
  createdAt: Date;
  expiresAt: Date;
  /** What was found: in bytes, */
  size: number | null;
  /** in quotes, as HTTP has it, */
  etag: string | null;
  verified: Aspect[];
  mismatches: Mismatch[] | null;
  finishedAt: Date | null;
  /** How often the store was seen holding nothing of it since it ended; of one rejected or aborted, 0 is a removal still to be done. */
  looks: number;
  dueAt: Date;
  attempts: number;
}

/** An upload that somebody works on: nobody else may change it while the lease is theirs. */
export interface LeasedUpload extends Upload {
  lease: string;
}
