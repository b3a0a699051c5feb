import { Body, Controller, Header, HttpCode, Post } from '@nestjs/common';
import { ApiBody, ApiTags } from '@nestjs/swagger';
import { RequireScope } from '@countersign/identity';
import { DownloadUrlRequest } from '../download-url/download-url.dto.js';
import { downloadWish } from '../download-url/download-wish.js';
import { type Batch, BatchPipe } from '../http/batch.pipe.js';
import { type Caller, Calling } from '../http/caller.js';
import { DirectRoutes } from '../http/direct-routes.js';
import { TakesLargeBody } from '../http/unread-body.js';
import { AskedOnce, Idempotent, type Once } from '../idempotency/once.js';
import { BATCH_LIMIT_BYTES } from '../issuance/batch.dto.js';
import { IssueBatch } from '../issuance/issue-batch.js';
import { toIssuedUrl } from '../issuance/issued-url.dto.js';
import { noteItems } from '../metrics/request-metrics.js';
import { DownloadUrls, DownloadUrlsRequest } from './download-urls.dto.js';

const DOWNLOADS = new BatchPipe(DownloadUrlsRequest, DownloadUrlRequest);

@ApiTags('URLs')
@Controller('download-urls')
export class DownloadUrlsController {
  constructor(
    private readonly issueBatch: IssueBatch,
    routes: DirectRoutes,
  ) {
    routes.add(this, 'createDownloadUrls', { pipe: DOWNLOADS, count: ({ length }) => length, answered: noteItems });
  }

  /**
   * Issues up to 1,000 presigned URLs that download one object each.
   * @remarks Each item is a request of the single call, and gets its answer: `status` and `body`. A refused or malformed item harms no other.
   */
  @Post()
  @HttpCode(200)
  @RequireScope('read:objects', { decidesOnSuspended: true })
  @Header('Cache-Control', 'no-store')
  @Idempotent()
  @TakesLargeBody(BATCH_LIMIT_BYTES)
  @ApiBody({ type: DownloadUrlsRequest })
  createDownloadUrls(
    @Calling() caller: Caller,
    @Body(DOWNLOADS) batch: Batch<DownloadUrlRequest>,
    @AskedOnce() once: Once | null,
  ): Promise<DownloadUrls> {
    return this.issueBatch.execute(caller, batch, { toWish: downloadWish, toBody: toIssuedUrl }, once);
  }
}
