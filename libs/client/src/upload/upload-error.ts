import type { CompletedUpload, Mismatch } from '../api.js';

/**
 * The upload did not get to its end, and nothing was given up: `upload(file, { resume: uploadId })` goes on with it, `abortUpload(uploadId)`
 * ends it. `cause` is why: a CountersignError, a StoreError, what `fetch` throws, or the reason of the signal.
 */
export class UploadError extends Error {
  override readonly name = 'UploadError';

  constructor(
    readonly uploadId: string,
    override readonly cause: unknown,
  ) {
    super(`The upload ${uploadId} did not get to its end: ${cause instanceof Error ? cause.message : String(cause)}`);
  }
}

/** What came to the store is not what was promised. It is removed there, and the upload is over. */
export class UploadRejectedError extends Error {
  override readonly name = 'UploadRejectedError';
  readonly uploadId: string;
  readonly mismatches: readonly Mismatch[];

  constructor({ id, mismatches = [] }: CompletedUpload) {
    super(
      `The upload ${id} was rejected: ${mismatches.map(({ what }) => what).join(', ')} differ from what was promised.`,
    );
    this.uploadId = id;
    this.mismatches = mismatches;
  }
}
