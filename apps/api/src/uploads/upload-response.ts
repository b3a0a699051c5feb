import type { Upload } from '@countersign/uploads';
import type { CompletedUpload, UploadResponse } from './uploads.dto.js';

export function toUploadResponse(upload: Upload): UploadResponse {
  const { id, mode, state, bucket, key, contentType, contentLength, contentLengthRange, partSize, partCount } = upload;
  return {
    id,
    mode,
    state,
    bucket,
    key,
    contentType,
    contentLength,
    ...(contentLengthRange && { contentLengthRange }),
    expiresAt: upload.expiresAt.toISOString(),
    ...(partSize !== null && partCount !== null && { partSize, partCount }),
  };
}

/** Of the row alone, so that every repetition has the same bytes. */
export function toCompletedUpload(upload: Upload): CompletedUpload {
  const { id, state, size, etag, checksumSha256, verified, mismatches } = upload;
  if (!(state === 'verified' || state === 'rejected') || size === null || etag === null) {
    throw new Error('an upload without a verdict');
  }
  const type = mismatches?.find(({ what }) => what === 'type');
  return {
    id,
    state,
    size,
    contentType: type?.found ?? upload.contentType,
    etag,
    ...(checksumSha256 !== null && verified.includes('checksum') && { checksumSha256 }),
    verified,
    ...(mismatches && { mismatches }),
  };
}
