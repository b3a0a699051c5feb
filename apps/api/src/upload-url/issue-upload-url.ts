import { Injectable } from '@nestjs/common';
import { keyFault } from '@countersign/permissions';
import { uploadTerms } from '@countersign/signing';
import type { Caller } from '../http/caller.js';
import { invalid } from '../http/request-validation.pipe.js';
import { IssueUrl, type Wish } from '../issuance/issue-url.js';
import { toIssuedUrl } from '../issuance/issued-url.dto.js';
import type { IssuedUploadUrl, UploadUrlRequest } from './upload-url.dto.js';

/** What is an upload's own in the story that issue-url.ts tells. */
@Injectable()
export class IssueUploadUrl {
  constructor(private readonly issueUrl: IssueUrl) {}

  async execute(caller: Caller, request: UploadUrlRequest): Promise<IssuedUploadUrl> {
    const {
      bucket,
      useCase = 'upload',
      contentType,
      contentLength,
      overwrite = false,
      checksumSha256 = null,
    } = request;
    const wish: Wish = {
      action: 'write',
      bucket,
      key: keyOf(request),
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
    const issued = await this.issueUrl.execute(caller, wish);
    return { ...toIssuedUrl(wish, issued), uploadId: issued.receipt.issuanceId, contentLength };
  }
}

/** `key`, or `prefix` and `filename`; never both. */
function keyOf({ key, prefix, filename }: UploadUrlRequest): string {
  if (key !== undefined) {
    if (filename !== undefined)
      throw invalid([{ pointer: '/filename', message: 'must be left out where key is given' }]);
    if (prefix !== undefined) throw invalid([{ pointer: '/prefix', message: 'must be left out where key is given' }]);
    return key;
  }
  if (filename === undefined) throw invalid([{ pointer: '/key', message: 'must be given, or filename' }]);
  const joined = (prefix ?? '') + filename;
  const fault = keyFault(joined);
  if (fault) throw invalid([{ pointer: '/filename', message: `${fault}, together with prefix` }]);
  return joined;
}
