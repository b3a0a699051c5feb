import { Injectable } from '@nestjs/common';
import { ProblemError } from '@countersign/errors';
import type { Caller } from '../http/caller.js';
import { IssueUrl } from '../issuance/issue-url.js';
import type { IssuedUploadUrl, UploadUrlRequest } from './upload-url.dto.js';
import { toIssuedUploadUrl, uploadWish } from './upload-wish.js';

@Injectable()
export class IssueUploadUrl {
  constructor(private readonly issueUrl: IssueUrl) {}

  async execute(caller: Caller, request: UploadUrlRequest): Promise<IssuedUploadUrl> {
    const wish = uploadWish(request);
    if (wish instanceof ProblemError) throw wish;
    return toIssuedUploadUrl(wish, await this.issueUrl.execute(caller, wish));
  }
}
