import { Body, Controller, Header, Post } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import { RequireScope } from '@countersign/identity';
import { type Caller, Calling } from '../http/caller.js';
import { ApiProblems } from '../http/api-problems.js';
import { IssuedUrl } from '../issuance/issued-url.dto.js';
import { DownloadUrlRequest } from './download-url.dto.js';
import { IssueDownloadUrl } from './issue-download-url.js';

@ApiTags('URLs')
@ApiBearerAuth()
@Controller('download-url')
export class DownloadUrlController {
  constructor(private readonly issueDownloadUrl: IssueDownloadUrl) {}

  /** Issues a presigned URL that downloads one object. */
  @Post()
  @RequireScope('read:objects', { decidesOnSuspended: true })
  @Header('Cache-Control', 'no-store')
  @ApiProblems(400, 401, 403, 404, 413, 415, 422, 503)
  create(@Calling() caller: Caller, @Body() request: DownloadUrlRequest): Promise<IssuedUrl> {
    return this.issueDownloadUrl.execute(caller, request);
  }
}
