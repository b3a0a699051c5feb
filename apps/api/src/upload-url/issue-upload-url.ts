import { Injectable } from '@nestjs/common';
import { ProblemError } from '@countersign/errors';
import type { Caller } from '../http/caller.js';
import type { Once } from '../idempotency/once.js';
import { IssueUrl } from '../issuance/issue-url.js';
import type { IssuedUploadUrl, UploadUrlRequest } from './upload-url.dto.js';
import { toIssuedUpload } from './issued-upload.js';
import { uploadWish } from './upload-wish.js';

@Injectable()
export class IssueUploadUrl {
  constructor(private readonly issueUrl: IssueUrl) {}

  async execute(caller: Caller, request: UploadUrlRequest, once: Once | null = null): Promise<IssuedUploadUrl> {
    const wish = uploadWish(request);
    if (wish instanceof ProblemError) throw wish;
    return toIssuedUpload(wish, await this.issueUrl.execute(caller, wish, once));
  }
}
