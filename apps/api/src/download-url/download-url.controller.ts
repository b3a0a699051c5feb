import { Body, Controller, Header, Post } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { RequireScope } from '@countersign/identity';
import { type Caller, Calling } from '../http/caller.js';
import { ApiProblems } from '../http/api-problems.js';
import { DirectRoutes } from '../http/direct-routes.js';
import { AskedOnce, Idempotent, type Once } from '../idempotency/once.js';
import { IssuedUrl, ISSUING_PROBLEMS } from '../issuance/issued-url.dto.js';
import { DownloadUrlRequest } from './download-url.dto.js';
import { IssueDownloadUrl } from './issue-download-url.js';

@ApiTags('URLs')
@Controller('download-url')
export class DownloadUrlController {
  constructor(
    private readonly issueDownloadUrl: IssueDownloadUrl,
    routes: DirectRoutes,
  ) {
    routes.add(this, 'createDownloadUrl');
  }

  /**
   * Issues a presigned URL that downloads one object.
   * @remarks Whoever holds the URL can read this one object with it until it expires. Send `headers` with it as they are. Whether the object exists plays no part; where an upload to the key must be verified first, there is no URL until it was.
   */
  @Post()
  @RequireScope('read:objects', { decidesOnSuspended: true })
  @Header('Cache-Control', 'no-store')
  @Idempotent()
  @ApiProblems(...ISSUING_PROBLEMS, 'not-verified', 'idempotency-replay-gone')
  createDownloadUrl(
    @Calling() caller: Caller,
    @Body() request: DownloadUrlRequest,
    @AskedOnce() once: Once | null,
  ): Promise<IssuedUrl> {
    return this.issueDownloadUrl.execute(caller, request, once);
  }
}
