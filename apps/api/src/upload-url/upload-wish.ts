import { ProblemError } from '@countersign/errors';
import { keyFault } from '@countersign/permissions';
import { uploadTerms } from '@countersign/signing';
import { invalid } from '../http/request-validation.pipe.js';
import type { Issued, Wish } from '../issuance/issue-url.js';
import { toIssuedUrl } from '../issuance/issued-url.dto.js';
import type { IssuedUploadUrl, UploadUrlRequest } from './upload-url.dto.js';

/** A wish for an upload. */
export interface UploadWish extends Wish {
  content: Extract<Wish['content'], { action: 'write' }>;
}

/** What is an upload's own in the story that issue-url.ts tells; the problem where its key, prefix and filename do not go together. */
export function uploadWish(request: UploadUrlRequest): UploadWish | ProblemError {
  const key = keyOf(request);
  if (key instanceof ProblemError) return key;
  const { bucket, useCase = 'upload', contentType, contentLength, overwrite = false, checksumSha256 = null } = request;
  return {
    action: 'write',
    bucket,
    key,
    useCase,
    expiresInSeconds: request.expiresInSeconds ?? null,
    content: { action: 'write', contentType, contentLength, overwrite },
    details: { method: 'PUT', overwrite, ...(checksumSha256 === null ? {} : { checksumSha256 }) },
    terms: ({ acl, ...address }, { disposition }) =>
      uploadTerms(address, {
        contentType,
        contentLength,
        checksumSha256,
        overwrite,
        acl,
        disposition: disposition === 'attachment' ? disposition : null,
      }),
  };
}

export function toIssuedUploadUrl(wish: UploadWish, issued: Issued): IssuedUploadUrl {
  const { contentLength } = wish.content;
  return { ...toIssuedUrl(wish, issued), uploadId: issued.receipt.issuanceId, contentLength };
}

/** `key`, or `prefix` and `filename`; never both. */
function keyOf({ key, prefix, filename }: UploadUrlRequest): string | ProblemError {
  if (key !== undefined) {
    if (filename !== undefined) return leftOut('/filename');
    return prefix === undefined ? key : leftOut('/prefix');
  }
  if (filename === undefined) return invalid([{ pointer: '/key', message: 'must be given, or filename' }]);
  const joined = (prefix ?? '') + filename;
  const fault = keyFault(joined);
  return fault ? invalid([{ pointer: '/filename', message: `${fault}, together with prefix` }]) : joined;
}

const leftOut = (pointer: string) => invalid([{ pointer, message: 'must be left out where key is given' }]);
