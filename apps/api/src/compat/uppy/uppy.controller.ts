import {
  Controller,
  createParamDecorator,
  Delete,
  type ExecutionContext,
  Get,
  Header,
  HttpCode,
  Param,
  Post,
  Query,
  UseFilters,
} from '@nestjs/common';
import { ApiBody, ApiQuery, ApiTags, getSchemaPath } from '@nestjs/swagger';
import { RequireScope } from '@countersign/identity';
import type { NamedPart } from '@countersign/uploads';
import type { FastifyRequest } from 'fastify';
import { ApiProblems } from '../../http/api-problems.js';
import { type Caller, Calling } from '../../http/caller.js';
import { TakesLargeBody } from '../../http/unread-body.js';
import { AskedOnce, Idempotent, type Once } from '../../idempotency/once.js';
import { ISSUING_PROBLEMS } from '../../issuance/issued-url.dto.js';
import { AbortUpload } from '../../uploads/abort-upload.js';
import { NamedPartsIn, type Wording } from '../../uploads/completion.pipe.js';
import { IssueParts } from '../../uploads/issue-parts.js';
import { ListParts } from '../../uploads/list-parts.js';
import { COMPLETION_LIMIT_BYTES } from '../../uploads/uploads.dto.js';
import { CompleteUppyUpload } from './complete-uppy-upload.js';
import { IssueUppyUpload } from './issue-uppy-upload.js';
import { PartNumber } from './part-number.js';
import { FileOfBody, FileOfQuery, type UppyFile } from './uppy-file.js';
import { UppyProblemFilter } from './uppy-problem.filter.js';
import { KeyQuery, PartNumbersQuery } from './uppy-query.dto.js';
import {
  UppyAborted,
  UppyCompleted,
  UppyCompletionRequest,
  UppyMetadata,
  UppyNamedPart,
  UppyParameters,
  UppyPartUrl,
  UppyPartUrls,
  UppyStoredPart,
  UppyUpload,
  UppyUploadRequest,
} from './uppy.dto.js';

/** What every beginning can refuse. */
const BEGINNING_PROBLEMS = [...ISSUING_PROBLEMS, 'too-large', 'too-small'] as const;

/** What every call about parts can refuse. */
const PARTS_PROBLEMS = ['not-found', 'wrong-state', 'signing-key-unavailable'] as const;

const METADATA = { name: 'metadata', description: "The file's `meta`: `metadata[size]=48213`." };

/** Uppy 5 says which answers it takes, and takes a PUT; Uppy 6 says nothing, and takes a form alone. */
const TakesPut = createParamDecorator((_: unknown, context: ExecutionContext): boolean => {
  const { accept = '' } = context.switchToHttp().getRequest<FastifyRequest>().headers;
  return accept.includes('application/json');
});

const UPPYS: Wording<UppyNamedPart> = {
  request: UppyCompletionRequest,
  part: UppyNamedPart,
  partNumber: 'PartNumber',
  read: ({ PartNumber: partNumber, ETag: etag }) => ({ partNumber, etag }),
};

/** The wire contract of Uppy's AwsS3 plugin, 5 and 6, on the same uploads as everywhere: see docs/uppy.md. */
@ApiTags('Uppy')
@UseFilters(UppyProblemFilter)
@RequireScope('write:objects')
@Controller('compat/uppy/s3')
export class UppyController {
  constructor(
    private readonly issueUpload: IssueUppyUpload,
    private readonly issueParts: IssueParts,
    private readonly parts: ListParts,
    private readonly completeUpload: CompleteUppyUpload,
    private readonly abort: AbortUpload,
  ) {}

  /**
   * Issues what uploads one file at once.
   * @remarks By PUT for a client that says `Accept: application/json` and `metadata[size]`, as Uppy 5 does; else by a form.
   */
  @Get('params')
  @RequireScope('write:objects', { decidesOnSuspended: true })
  @Header('Cache-Control', 'no-store')
  @ApiQuery({ ...METADATA, required: false, style: 'deepObject', schema: { $ref: getSchemaPath(UppyMetadata) } })
  @ApiQuery({ name: 'type', required: false, schema: { type: 'string' }, description: 'Its Content-Type.' })
  @ApiQuery({ name: 'filename', schema: { type: 'string' }, description: 'What the file is called.' })
  @ApiProblems(...BEGINNING_PROBLEMS, 'mode-not-available')
  getUppyParameters(
    @Calling() caller: Caller,
    @FileOfQuery() file: UppyFile,
    @TakesPut() takesPut: boolean,
  ): Promise<UppyParameters> {
    return this.issueUpload.whole(caller, file, { takesPut });
  }

  /** Begins an upload in parts: those that Uppy makes. */
  @Post('multipart')
  @HttpCode(200)
  @RequireScope('write:objects', { decidesOnSuspended: true })
  @ApiBody({ type: UppyUploadRequest })
  @Idempotent()
  @ApiProblems(...BEGINNING_PROBLEMS, 'idempotency-replay-gone', 'store-unavailable')
  createUppyUpload(
    @Calling() caller: Caller,
    @FileOfBody() file: UppyFile,
    @AskedOnce() once: Once | null,
  ): Promise<UppyUpload> {
    return this.issueUpload.inParts(caller, file, once);
  }

  /** The parts that the store has. */
  @Get('multipart/:uploadId')
  @ApiProblems(...PARTS_PROBLEMS, 'store-unavailable')
  async listUppyParts(
    @Calling() caller: Caller,
    @Param('uploadId') id: string,
    @Query() _: KeyQuery,
  ): Promise<UppyStoredPart[]> {
    const { parts } = await this.parts.execute(caller, id);
    return parts.map(({ partNumber, size, etag }) => ({ PartNumber: partNumber, Size: size, ETag: etag }));
  }

  /** Issues presigned URLs for some parts. */
  @Get('multipart/:uploadId/batch')
  @Header('Cache-Control', 'no-store')
  @ApiProblems(...PARTS_PROBLEMS, 'not-granted', 'bucket-not-found', 'part-number-out-of-range')
  async listUppyPartUrls(
    @Calling() caller: Caller,
    @Param('uploadId') id: string,
    @Query() { partNumbers }: PartNumbersQuery,
  ): Promise<UppyPartUrls> {
    const { parts } = await this.issueParts.execute(caller, id, { partNumbers: partNumbers.split(',').map(Number) });
    return { presignedUrls: Object.fromEntries(parts.map(({ partNumber, url }) => [partNumber, url])) };
  }

  /** Issues a presigned URL for one part. */
  @Get('multipart/:uploadId/:partNumber')
  @Header('Cache-Control', 'no-store')
  @ApiProblems(...PARTS_PROBLEMS, 'not-granted', 'bucket-not-found', 'part-number-out-of-range')
  async getUppyPartUrl(
    @Calling() caller: Caller,
    @Param('uploadId') id: string,
    @Param('partNumber', PartNumber) partNumber: number,
    @Query() _: KeyQuery,
  ): Promise<UppyPartUrl> {
    const { parts } = await this.issueParts.execute(caller, id, { partNumbers: [partNumber] });
    const [part] = parts;
    if (!part) throw new Error('issue-parts.ts left out a part');
    return { method: 'PUT', url: part.url, headers: part.headers };
  }

  /** Completes an upload in parts, and verifies it. */
  @Post('multipart/:uploadId/complete')
  @HttpCode(200)
  @TakesLargeBody(COMPLETION_LIMIT_BYTES)
  @ApiBody({ type: UppyCompletionRequest, required: false })
  @ApiProblems(
    ...PARTS_PROBLEMS,
    'not-granted',
    'bucket-not-found',
    'already-exists',
    'upload-incomplete',
    'upload-rejected',
    'store-unavailable',
  )
  completeUppyUpload(
    @Calling() caller: Caller,
    @Param('uploadId') id: string,
    @Query() _: KeyQuery,
    @NamedPartsIn(UPPYS) parts: readonly NamedPart[] | null,
  ): Promise<UppyCompleted> {
    return this.completeUpload.execute(caller, id, parts);
  }

  /** Aborts an upload, and removes what it has at the store. */
  @Delete('multipart/:uploadId')
  @HttpCode(200)
  @ApiProblems(...PARTS_PROBLEMS, 'upload-incomplete', 'store-unavailable')
  async abortUppyUpload(
    @Calling() caller: Caller,
    @Param('uploadId') id: string,
    @Query() _: KeyQuery,
  ): Promise<UppyAborted> {
    await this.abort.execute(caller, id);
    return {};
  }
}
