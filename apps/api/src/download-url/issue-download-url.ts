import { Injectable } from '@nestjs/common';
import { ProblemError } from '@countersign/errors';
import type { Caller } from '../http/caller.js';
import type { Once } from '../idempotency/once.js';
import { IssueUrl } from '../issuance/issue-url.js';
import { type IssuedUrl, toIssuedUrl } from '../issuance/issued-url.dto.js';
import type { DownloadUrlRequest } from './download-url.dto.js';
import { downloadWish } from './download-wish.js';

@Injectable()
export class IssueDownloadUrl {
  constructor(private readonly issueUrl: IssueUrl) {}

  async execute(caller: Caller, request: DownloadUrlRequest, once: Once | null = null): Promise<IssuedUrl> {
    const wish = downloadWish(request);
    if (wish instanceof ProblemError) throw wish;
    return toIssuedUrl(wish, await this.issueUrl.execute(caller, wish, once));
  }
}
