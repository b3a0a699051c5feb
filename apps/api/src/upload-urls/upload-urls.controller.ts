import { Body, Controller, Header, HttpCode, Post } from '@nestjs/common';
import { ApiBody, ApiTags } from '@nestjs/swagger';
import { RequireScope } from '@countersign/identity';
import { type Batch, BatchPipe } from '../http/batch.pipe.js';
import { type Caller, Calling } from '../http/caller.js';
import { DirectRoutes } from '../http/direct-routes.js';
import { TakesLargeBody } from '../http/unread-body.js';
import { AskedOnce, Idempotent, type Once } from '../idempotency/once.js';
import { BATCH_LIMIT_BYTES } from '../issuance/batch.dto.js';
import { IssueBatch } from '../issuance/issue-batch.js';
import { noteItems } from '../metrics/request-metrics.js';
import { UploadUrlRequest } from '../upload-url/upload-url.dto.js';
import { toIssuedUpload } from '../upload-url/issued-upload.js';
import { uploadWish } from '../upload-url/upload-wish.js';
import { UploadUrls, UploadUrlsRequest } from './upload-urls.dto.js';

const UPLOADS = new BatchPipe(UploadUrlsRequest, UploadUrlRequest);

@ApiTags('URLs')
@Controller('upload-urls')
export class UploadUrlsController {
  constructor(
    private readonly issueBatch: IssueBatch,
    routes: DirectRoutes,
  ) {
    routes.add(this, 'createUploadUrls', { pipe: UPLOADS, count: ({ length }) => length, answered: noteItems });
  }

  /**
   * Issues what uploads up to 1,000 objects, each of this type and size: presigned URLs, forms, uploads in parts.
   * @remarks Each item is a request of the single call, and gets its answer: `status` and `body`. A refused or malformed item harms no other.
   */
  @Post()
  @HttpCode(200)
  @RequireScope('write:objects', { decidesOnSuspended: true })
  @Header('Cache-Control', 'no-store')
  @Idempotent()
  @TakesLargeBody(BATCH_LIMIT_BYTES)
  @ApiBody({ type: UploadUrlsRequest })
  createUploadUrls(
    @Calling() caller: Caller,
    @Body(UPLOADS) batch: Batch<UploadUrlRequest>,
    @AskedOnce() once: Once | null,
  ): Promise<UploadUrls> {
    return this.issueBatch.execute(caller, batch, { toWish: uploadWish, toBody: toIssuedUpload }, once);
  }
}
