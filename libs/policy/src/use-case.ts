/** SigV4 allows a presigned URL seven days at most (AWS, "Authenticating Requests: Using Query Parameters", X-Amz-Expires). */
export const MAX_EXPIRY_SECONDS = 604_800;

/** The largest object that a single PUT can make (Amazon S3, "Uploading objects": 5 GiB). */
export const MAX_PUT_BYTES = 5 * 1024 ** 3;

/** The smallest and the largest object that is made of parts (Amazon S3 User Guide, "Amazon S3 multipart upload limits"). */
export const MIN_MULTIPART_BYTES = 5 * 1024 ** 2;
export const MAX_MULTIPART_BYTES = 5 * 1024 ** 4;

/** Whether a use case is for this action. */
export function isFor(useCase: Pick<UseCase, 'action'>, action: 'read' | 'write'): boolean {
  return useCase.action === 'any' || useCase.action === action;
}

/** A tenant's named policy for one action or both. */
export interface UseCase {
  name: string;
  action: 'read' | 'write' | 'any';
  minExpirySeconds: number;
  /** Null: the request must say. */
  defaultExpirySeconds: number | null;
  maxExpirySeconds: number;
  /** `type/subtype` or `type/*`, lower case; empty allows any. */
  contentTypes: readonly string[];
  minContentLength: number | null;
  maxContentLength: number | null;
  overwrite: boolean;
  /** Of a download: `attachment` binds, whatever was asked; `inline` is what a request gets that does not say. */
  disposition: 'attachment' | 'inline' | null;
  /** Whether what is uploaded within it may be downloaded only once it was verified. */
  requireVerified: boolean;
}
