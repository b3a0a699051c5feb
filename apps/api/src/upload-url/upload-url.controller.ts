import { Body, Controller, Header, Post } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { RequireScope } from '@countersign/identity';
import { ApiProblems } from '../http/api-problems.js';
import { type Caller, Calling } from '../http/caller.js';
import { ISSUING_PROBLEMS } from '../issuance/issued-url.dto.js';
import { IssueUploadUrl } from './issue-upload-url.js';
import { IssuedUploadUrl, UploadUrlRequest } from './upload-url.dto.js';

@ApiTags('URLs')
@Controller('upload-url')
export class UploadUrlController {
  constructor(private readonly issueUploadUrl: IssueUploadUrl) {}

  /**
   * Issues a presigned URL that uploads one object, of this type and size.
   * @remarks Send exactly `contentLength` bytes by PUT, with `headers` as they are. The store refuses any other type or size, and to replace an object unless `overwrite` was asked for and allowed.
   */
  @Post()
  @RequireScope('write:objects', { decidesOnSuspended: true })
  @Header('Cache-Control', 'no-store')
  @ApiProblems(...ISSUING_PROBLEMS, 'too-large', 'too-small', 'overwrite-not-allowed')
  createUploadUrl(@Calling() caller: Caller, @Body() request: UploadUrlRequest): Promise<IssuedUploadUrl> {
    return this.issueUploadUrl.execute(caller, request);
  }
}
