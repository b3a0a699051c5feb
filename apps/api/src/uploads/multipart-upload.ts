import type { Upload } from '@countersign/uploads';
import { wrongState } from './refusals.js';

/** An upload whose parts can come. */
export type MultipartUpload = Upload & {
  contentLength: number;
  partSize: number;
  partCount: number;
  storeUploadId: string;
};

/** @throws ProblemError `wrong-state` for an upload of another mode, one that is over, and one that the store has not begun. */
export function asMultipart(upload: Upload): MultipartUpload {
  if (upload.mode !== 'multipart') throw wrongState(upload, 'only a multipart upload has parts');
  if (upload.state !== 'pending') throw wrongState(upload, 'only of a pending one there are parts');
  if (!isMultipart(upload)) throw wrongState(upload, 'the store has not begun it; begin a new one');
  return upload;
}

/** Whether the store has begun it in parts. */
export function isMultipart<U extends Upload>(upload: U): upload is U & MultipartUpload {
  const { contentLength, partSize, partCount, storeUploadId } = upload;
  return contentLength !== null && partSize !== null && partCount !== null && storeUploadId !== null;
}
