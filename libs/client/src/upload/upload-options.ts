export interface UploadProgress {
  /** Never less than at the call before; at the end the whole. */
  sentBytes: number;
  totalBytes: number;
}

/** Where a new upload goes. With neither `key` nor `filename`, the file's own name is the `filename`. */
interface Destination {
  /** The bucket's registered name. */
  bucket: string;
  key?: string;
  /** What the key begins with, before `filename`. */
  prefix?: string;
  filename?: string;
}

interface Settings {
  /** The file's own type if left out, or `application/octet-stream`. */
  contentType?: string;
  useCase?: string;
  overwrite?: boolean;
  /** How long the upload may take: of `put` and `post` until it begins, of `multipart` until it is completed. */
  expiresInSeconds?: number;
  /** `auto`: the service chooses by the file's size. */
  mode?: 'auto' | 'put' | 'post' | 'multipart';
  /**
   * `true`: the SHA-256 of the whole is promised, and the service compares it with what the store has. It takes the whole file into memory,
   * so not above 256 MiB; of a larger one give the Base64 of the SHA-256 in its place. In a page it needs HTTPS or localhost.
   */
  checksum?: boolean | string;
  /** Pins the SHA-256 of each part, for stores that check it. Each part is then read twice. */
  partChecksums?: boolean;
  /** How many parts are on their way at once: 4. */
  concurrency?: number;
  /** How often one request is made again after it failed for a moment: 6 times, which is about half a minute. */
  retries?: number;
  /** The first pause between two tries, in milliseconds: 500. Each one after that is twice as long, up to 30 seconds. */
  backoffMs?: number;
  onProgress?: (progress: UploadProgress) => void;
  /** Stops the upload with an UploadError, which can be resumed. */
  signal?: AbortSignal;
  /** What `signal` stops is also ended at the service, and cannot be resumed. */
  abortUpload?: boolean;
}

/** `resume`: goes on with this upload where it stopped; nothing else need be said again but the settings that are to differ. */
export type UploadOptions = Settings &
  ((Destination & { resume?: undefined }) | (Partial<Destination> & { resume: string }));
