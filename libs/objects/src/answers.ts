/** The store said no, or nothing at all. */
export interface Refused {
  kind: 'refused';
  /** Null where there was no answer, or none that could be read. */
  status: number | null;
  /** S3's code, or "". It never holds a signature. */
  code: string;
  /** All of that in a few words, such as `403 AccessDenied` or `no answer (ECONNREFUSED)`. */
  why: string;
}

/** An object as the store has it. */
export interface FoundObject {
  kind: 'found';
  size: number;
  contentType: string;
  /** In quotes, as HTTP has it. */
  etag: string;
  lastModified: Date | null;
  /** Which upload of ours it came by; null where it says none. */
  uploadId: string | null;
  /** Base64, of the whole object, as the store reckoned it; null where it keeps none. */
  checksumSha256: string | null;
}

/** A part of a multipart upload as the store has it. */
export interface StoredPart {
  partNumber: number;
  size: number;
  /** In quotes, as HTTP has it. */
  etag: string;
}

/** A multipart upload that was neither completed nor aborted. */
export interface StartedUpload {
  storeUploadId: string;
  initiatedAt: Date;
}

/** What is pinned to the object when its upload starts, as the headers of an upload URL pin it. */
export interface PinnedToUpload {
  contentType: string;
  /** The whole header, such as `attachment`. */
  disposition: string | null;
  /** `none` sends no ACL. */
  acl: 'private' | 'none';
  /** Ours: it becomes the metadata by which the object is known again. */
  uploadId: string;
}

/** Nothing under that key. A key that may not list the bucket hears `403 AccessDenied` in its place: see `isPerhapsAbsent`. */
export interface Absent {
  kind: 'absent';
}

/** The store knows no such multipart upload: it was completed or aborted, or never was. */
export interface Gone {
  kind: 'gone';
}

export type Looked = FoundObject | Absent | Refused;
export type Removed = { kind: 'removed' } | { kind: 'changed' } | Refused;
export type Started = { kind: 'started'; storeUploadId: string } | Refused;
export type ListedParts = { kind: 'listed'; parts: StoredPart[] } | Gone | Refused;
export type ListedUploads = { kind: 'listed'; uploads: StartedUpload[] } | Refused;
export type Aborted = { kind: 'aborted' } | Gone | Refused;

export type Completed =
  /** In quotes; null where the store does not say it here (Ceph 16 does not). */
  | { kind: 'completed'; etag: string | null }
  | Gone
  /** An object has the key, and a new one was asked for. */
  | { kind: 'exists' }
  /** Another write to the key was under way: it may be asked again. */
  | { kind: 'conflict' }
  /** The store has not these parts, or will not make an object of them. */
  | { kind: 'wrong-parts'; why: string }
  | Refused;

export type Hashed =
  | { kind: 'hashed'; size: number; checksumSha256: string }
  | Absent
  /** Another object has the key by now. */
  | { kind: 'changed' }
  | Refused;

/**
 * Whether this refusal is also what a store says of an object that is not there, to a key that may read objects and not list the bucket
 * (Amazon S3 API Reference, "HeadObject": 403 in place of 404). Whoever waits for an upload takes it for "not yet".
 */
export function isPerhapsAbsent({ status, code }: Refused): boolean {
  return status === 403 && code === 'AccessDenied';
}
