import { planParts } from '@countersign/uploads';
import type { BegunMultipart, Issued, IssuedForm, IssuedOneUrl } from '../issuance/issued.js';
import { toIssuance } from '../issuance/issued-url.dto.js';
import type { UploadWish } from './upload-wish.js';
import type { IssuedMultipartUpload, IssuedPostUpload, IssuedPutUpload, IssuedUploadUrl } from './upload-url.dto.js';

/** The answer, by the mode that it was made in. */
export function toIssuedUpload(wish: UploadWish, issued: Issued): IssuedUploadUrl {
  if (issued.kind === 'url') return toIssuedPut(wish, issued);
  return issued.kind === 'form' ? toIssuedPost(wish, issued) : toIssuedMultipart(wish, issued);
}

function toIssuedPut(wish: UploadWish, issued: IssuedOneUrl): IssuedPutUpload {
  const { 'content-length': length, ...headers } = issued.receipt.terms.headers;
  return Object.assign(toIssuance(wish, issued, headers), {
    uploadId: issued.receipt.issuanceId,
    mode: 'put' as const,
    method: 'PUT' as const,
    url: issued.url,
    contentLength: Number(length),
    overwriteProtected: !wish.content.overwrite,
  });
}

function toIssuedPost(wish: UploadWish, issued: IssuedForm): IssuedPostUpload {
  const { url, contentLengthRange } = issued.receipt.terms;
  return Object.assign(toIssuance(wish, issued, {}), {
    uploadId: issued.receipt.issuanceId,
    mode: 'post' as const,
    method: 'POST' as const,
    url,
    fields: issued.fields,
    contentLengthRange,
    overwriteProtected: false,
  });
}

function toIssuedMultipart(wish: UploadWish, issued: BegunMultipart): IssuedMultipartUpload {
  const { contentLength, overwrite } = wish.content;
  if (contentLength === null) throw new Error('an upload in parts has a length');
  return Object.assign(toIssuance(wish, issued, {}), {
    uploadId: issued.receipt.issuanceId,
    mode: 'multipart' as const,
    method: 'PUT' as const,
    contentLength,
    ...planParts(contentLength),
    overwriteProtected: !overwrite,
  });
}
