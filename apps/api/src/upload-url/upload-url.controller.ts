import { Body, Controller, Header, Post } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import { RequireScope } from '@countersign/identity';
import { ApiProblems } from '../http/api-problems.js';
import { type Caller, Calling } from '../http/caller.js';
import { IssueUploadUrl } from './issue-upload-url.js';
import { IssuedUploadUrl, UploadUrlRequest } from './upload-url.dto.js';

@ApiTags('URLs')
@ApiBearerAuth()
@Controller('upload-url')
export class UploadUrlController {
  constructor(private readonly issueUploadUrl: IssueUploadUrl) {}

  /** Issues a presigned URL that uploads one object, of this type and size. */
  @Post()
  @RequireScope('write:objects', { decidesOnSuspended: true })
  @Header('Cache-Control', 'no-store')
  @ApiProblems(400, 401, 403, 404, 413, 415, 422, 503)
  create(@Calling() caller: Caller, @Body() request: UploadUrlRequest): Promise<IssuedUploadUrl> {
    return this.issueUploadUrl.execute(caller, request);
  }
}
