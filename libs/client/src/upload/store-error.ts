/** The store refused, or could not answer. `status` 412: an object is there already; 403: the URL has expired, or its signing key is gone. */
export class StoreError extends Error {
  override readonly name = 'StoreError';

  constructor(
    readonly status: number,
    /** S3's own, such as `EntityTooLarge`, where the answer has one. */
    readonly code: string | null,
    /** When to try again, or null where the store did not say. */
    readonly retryAfterSeconds: number | null,
  ) {
    // Never the URL: whoever reads it in a log could use it.
    super(`The store answered ${status}${code === null ? '' : ` ${code}`}.`);
  }
}
