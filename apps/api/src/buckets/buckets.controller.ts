import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import { RequireScope } from '@countersign/identity';
import { ApiProblems } from '../http/api-problems.js';
import { type Caller, Calling } from '../http/caller.js';
import { Conditional, IfMatch, WithEtag } from '../http/etag.js';
import { PageQuery } from '../http/paging.js';
import { BucketChanges, BucketPage, BucketRequest, BucketResponse } from './buckets.dto.js';
import { Buckets } from './buckets.js';

@ApiTags('Buckets')
@ApiBearerAuth()
@RequireScope('admin:tenant')
@Controller('buckets')
export class BucketsController {
  constructor(private readonly buckets: Buckets) {}

  /** Registers a storage location; its credentials become the first signing key. */
  @Post()
  @ApiProblems(400, 401, 403, 409, 413, 415, 422, 503)
  create(@Calling() caller: Caller, @Body() request: BucketRequest): Promise<BucketResponse> {
    return this.buckets.create(caller, request);
  }

  /** The tenant's buckets, by name. */
  @Get()
  @ApiProblems(400, 401, 403, 503)
  list(@Calling() caller: Caller, @Query() query: PageQuery): Promise<BucketPage> {
    return this.buckets.list(caller, query);
  }

  /** One bucket. */
  @Get(':name')
  @WithEtag()
  @ApiProblems(401, 403, 404, 503)
  get(@Calling() caller: Caller, @Param('name') name: string): Promise<BucketResponse> {
    return this.buckets.get(caller, name);
  }

  /** Changes where a bucket is reached. Credentials are not changed here: that is a rotation. */
  @Patch(':name')
  @WithEtag()
  @Conditional()
  @ApiProblems(400, 401, 403, 404, 412, 413, 415, 422, 503)
  change(
    @Calling() caller: Caller,
    @Param('name') name: string,
    @Body() changes: BucketChanges,
    @IfMatch() ifMatch: string | undefined,
  ): Promise<BucketResponse> {
    return this.buckets.change(caller, name, changes, ifMatch);
  }

  /** Forgets a bucket without grants. The store is left as it is. */
  @Delete(':name')
  @HttpCode(204)
  @Conditional()
  @ApiProblems(401, 403, 404, 409, 412, 503)
  remove(
    @Calling() caller: Caller,
    @Param('name') name: string,
    @IfMatch() ifMatch: string | undefined,
  ): Promise<void> {
    return this.buckets.remove(caller, name, ifMatch);
  }
}
