/**
 * What is kept of an upload beyond its issuance, for whoever completes it: appended with the ledger's row, in one statement. What is left
 * out is null.
 */
export interface UploadRecord {
  bucketId: string;
  mode: 'put' | 'post' | 'multipart';
  /** Of a form, which has no exact length. */
  minContentLength: number | undefined;
  maxContentLength: number | undefined;
  /** Base64. */
  checksumSha256: string | undefined;
  overwrite: boolean;
  /** `attachment` where it is pinned. */
  disposition: 'attachment' | undefined;
  /** Of a multipart upload. */
  partSize: number | undefined;
  partCount: number | undefined;
  /** Whether nobody may download the key before the upload is verified. */
  withheld: boolean;
}
