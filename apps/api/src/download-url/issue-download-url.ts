import { Injectable } from '@nestjs/common';
import { downloadTerms } from '@countersign/signing';
import type { Caller } from '../http/caller.js';
import { IssueUrl, type Wish } from '../issuance/issue-url.js';
import { type IssuedUrl, toIssuedUrl } from '../issuance/issued-url.dto.js';
import type { DownloadUrlRequest } from './download-url.dto.js';

/** What is a download's own in the story that issue-url.ts tells. */
@Injectable()
export class IssueDownloadUrl {
  constructor(private readonly issueUrl: IssueUrl) {}

  async execute(caller: Caller, request: DownloadUrlRequest): Promise<IssuedUrl> {
    const { bucket, key, useCase = 'download', method = 'GET', filename = null, versionId = null } = request;
    const wish: Wish = {
      action: 'read',
      bucket,
      key,
      useCase,
      expiresInSeconds: request.expiresInSeconds ?? null,
      content: {
        action: 'read',
        key,
        disposition: request.disposition ?? null,
        hasFilename: filename !== null,
        contentType: request.contentType ?? null,
      },
      details: { method, ...(versionId === null ? {} : { versionId }), ...(filename === null ? {} : { filename }) },
      terms: (address, { disposition, contentType }) =>
        downloadTerms(address, { method, disposition, filename, contentType, versionId }),
    };
    return toIssuedUrl(wish, await this.issueUrl.execute(caller, wish));
  }
}
