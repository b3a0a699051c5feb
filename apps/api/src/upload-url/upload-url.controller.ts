import { Body, Controller, Header, Post } from '@nestjs/common';
import { ApiCreatedResponse, ApiTags } from '@nestjs/swagger';
import { RequireScope } from '@countersign/identity';
import { ApiProblems } from '../http/api-problems.js';
import { DirectRoutes } from '../http/direct-routes.js';
import { AskedOnce, Idempotent, type Once } from '../idempotency/once.js';
import { type Caller, Calling } from '../http/caller.js';
import { ISSUING_PROBLEMS } from '../issuance/issued-url.dto.js';
import { IssueUploadUrl } from './issue-upload-url.js';
import { AnyIssuedUpload, type IssuedUploadUrl, UploadUrlRequest } from './upload-url.dto.js';

@ApiTags('URLs')
@Controller('upload-url')
export class UploadUrlController {
  constructor(
    private readonly issueUploadUrl: IssueUploadUrl,
    routes: DirectRoutes,
  ) {
    routes.add(this, 'createUploadUrl');
  }

  /**
   * Issues what uploads one object, of this type and size: a presigned URL, a form, or an upload in parts.
   * @remarks By `mode`. `put`: send exactly `contentLength` bytes by PUT, with `headers` as they are; the store refuses any other type or size, and to replace an object unless `overwrite` was asked for and allowed. `post`: send `fields`, then `file`, as a form to `url`. `multipart`: ask `/uploads/{id}/parts` for the URLs of the parts. Whichever it is, `/uploads/{id}/completion` then says whether what came is what was promised.
   */
  @Post()
  @RequireScope('write:objects', { decidesOnSuspended: true })
  @Header('Cache-Control', 'no-store')
  @Idempotent()
  @ApiCreatedResponse({ type: AnyIssuedUpload })
  @ApiProblems(
    ...ISSUING_PROBLEMS,
    'too-large',
    'too-small',
    'overwrite-not-allowed',
    'size-range-not-available',
    'mode-not-available',
    'store-unavailable',
    'idempotency-replay-gone',
  )
  createUploadUrl(
    @Calling() caller: Caller,
    @Body() request: UploadUrlRequest,
    @AskedOnce() once: Once | null,
  ): Promise<IssuedUploadUrl> {
    return this.issueUploadUrl.execute(caller, request, once);
  }
}
