import type { FieldError } from '@countersign/errors';
import { MAX_PARTS } from '../../uploads/uploads.dto.js';

const SMALLEST_PART = 5 * 1024 ** 2;

/**
 * How long Uppy's parts are, to the byte: what `getChunkSize` says, or a ten-thousandth of the file, and 5 MiB at least (@uppy/aws-s3 5.1,
 * `#initChunks` of MultipartUploader.ts; 6.3, S3Uploader.ts). What is wrong with it where there would be more parts than a store takes:
 * then the two versions go different ways.
 */
export function uppyPartSize(contentLength: number, chunkSize: number | undefined): number | FieldError {
  const partSize = Math.max(chunkSize ?? Math.ceil(contentLength / MAX_PARTS), SMALLEST_PART);
  if (Math.ceil(contentLength / partSize) <= MAX_PARTS) return partSize;
  const smallest = Math.ceil(contentLength / MAX_PARTS);
  return { pointer: '/metadata/partSize', message: `must be at least ${smallest}: there can be ${MAX_PARTS} parts` };
}
