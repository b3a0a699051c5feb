import { Body, Controller, Delete, Get, Header, HttpCode, Param, Post } from '@nestjs/common';
import { ApiBody, ApiTags } from '@nestjs/swagger';
import { RequireScope } from '@countersign/identity';
import type { NamedPart } from '@countersign/uploads';
import { ApiProblems } from '../http/api-problems.js';
import { type Caller, Calling } from '../http/caller.js';
import { AskedOnce, Idempotent, type Once } from '../idempotency/once.js';
import { TakesLargeBody } from '../http/unread-body.js';
import { AbortUpload } from './abort-upload.js';
import { CompleteUpload } from './complete-upload.js';
import { NamedParts } from './completion.pipe.js';
import { FindUpload } from './find-upload.js';
import { IssueParts } from './issue-parts.js';
import { ListParts } from './list-parts.js';
import { toUploadResponse } from './upload-response.js';
import {
  CompletedUpload,
  COMPLETION_LIMIT_BYTES,
  CompletionRequest,
  IssuedParts,
  PartUrlsRequest,
  UploadParts,
  UploadResponse,
} from './uploads.dto.js';

@ApiTags('Uploads')
@RequireScope('write:objects')
@Controller('uploads')
export class UploadsController {
  constructor(
    private readonly uploads: FindUpload,
    private readonly issueParts: IssueParts,
    private readonly parts: ListParts,
    private readonly completeUpload: CompleteUpload,
    private readonly abort: AbortUpload,
  ) {}

  /**
   * One's own upload: how far it is, and what was promised.
   * @remarks Whoever asked for its URL is its owner. Everybody else is told that there is no such upload.
   */
  @Get(':id')
  @ApiProblems('not-found')
  async getUpload(@Calling() caller: Caller, @Param('id') id: string): Promise<UploadResponse> {
    return toUploadResponse(await this.uploads.execute(caller, id));
  }

  /**
   * Issues presigned URLs for parts of a multipart upload.
   * @remarks Up to 1,000 in a call, and again at will while the upload lives. The grant is asked anew each time.
   */
  @Post(':id/parts')
  @HttpCode(200)
  @Header('Cache-Control', 'no-store')
  @Idempotent()
  @ApiProblems(
    'not-granted',
    'not-found',
    'bucket-not-found',
    'wrong-state',
    'idempotency-replay-gone',
    'checksums-not-available',
    'part-number-out-of-range',
    'signing-key-unavailable',
  )
  createPartUrls(
    @Calling() caller: Caller,
    @Param('id') id: string,
    @Body() request: PartUrlsRequest,
    @AskedOnce() once: Once | null,
  ): Promise<IssuedParts> {
    return this.issueParts.execute(caller, id, request, once);
  }

  /**
   * The parts of a multipart upload that the store has.
   * @remarks So that whoever was interrupted uploads only what is missing.
   */
  @Get(':id/parts')
  @ApiProblems('not-found', 'wrong-state', 'signing-key-unavailable', 'store-unavailable')
  listUploadParts(@Calling() caller: Caller, @Param('id') id: string): Promise<UploadParts> {
    return this.parts.execute(caller, id);
  }

  /**
   * Completes an upload: what came to the store is held against what was promised.
   * @remarks The answer is `verified` or `rejected`, and the same ever after. An object that is not what was promised is removed. Where nothing
   * is there yet it is a 409 that changes nothing: ask again after `Retry-After`.
   */
  @Post(':id/completion')
  @HttpCode(200)
  @TakesLargeBody(COMPLETION_LIMIT_BYTES)
  @ApiBody({ type: CompletionRequest, required: false })
  @ApiProblems(
    'not-granted',
    'not-found',
    'bucket-not-found',
    'already-exists',
    'wrong-state',
    'upload-incomplete',
    'signing-key-unavailable',
    'store-unavailable',
  )
  createUploadCompletion(
    @Calling() caller: Caller,
    @Param('id') id: string,
    @NamedParts() parts: readonly NamedPart[] | null,
  ): Promise<CompletedUpload> {
    return this.completeUpload.execute(caller, id, parts);
  }

  /**
   * Aborts an upload, and removes what it has at the store.
   * @remarks Before there is a verdict. What did not come by this upload is never touched; what comes by it later is removed too.
   */
  @Delete(':id')
  @HttpCode(204)
  @ApiProblems('not-found', 'wrong-state', 'upload-incomplete', 'signing-key-unavailable', 'store-unavailable')
  abortUpload(@Calling() caller: Caller, @Param('id') id: string): Promise<void> {
    return this.abort.execute(caller, id);
  }
}
