import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { RequireScope } from '@countersign/identity';
import { ApiProblems } from '../http/api-problems.js';
import { type Caller, Calling } from '../http/caller.js';
import { Conditional, IfMatch, WithEtag } from '../http/etag.js';
import { PageQuery } from '../http/page-query.dto.js';
import { BucketChanges, BucketPage, BucketRequest, BucketResponse } from './buckets.dto.js';
import { Buckets } from './buckets.js';

@ApiTags('Buckets')
@RequireScope('admin:tenant')
@Controller('buckets')
export class BucketsController {
  constructor(private readonly buckets: Buckets) {}

  /**
   * Registers a storage location; its credentials become the first signing key.
   * @remarks No store is contacted: a mistake shows at the first URL. The secrets are encrypted at rest and never come out again.
   */
  @Post()
  @ApiProblems('already-exists', 'endpoint-not-allowed')
  createBucket(@Calling() caller: Caller, @Body() request: BucketRequest): Promise<BucketResponse> {
    return this.buckets.create(caller, request);
  }

  /**
   * The tenant's buckets, by name.
   * @remarks Without credentials: those never come out.
   */
  @Get()
  listBuckets(@Calling() caller: Caller, @Query() query: PageQuery): Promise<BucketPage> {
    return this.buckets.list(caller, query);
  }

  /**
   * One bucket.
   * @remarks With the ETag that a change of it takes.
   */
  @Get(':name')
  @WithEtag()
  @ApiProblems('not-found')
  getBucket(@Calling() caller: Caller, @Param('name') name: string): Promise<BucketResponse> {
    return this.buckets.get(caller, name);
  }

  /**
   * Changes where a bucket is reached. Credentials are not changed here: that is a rotation.
   * @remarks Fields that are left out stay as they are. URLs that were issued keep the address that they were signed for.
   */
  @Patch(':name')
  @WithEtag()
  @Conditional()
  @ApiProblems('not-found', 'endpoint-not-allowed')
  changeBucket(
    @Calling() caller: Caller,
    @Param('name') name: string,
    @Body() changes: BucketChanges,
    @IfMatch() ifMatch: string | undefined,
  ): Promise<BucketResponse> {
    return this.buckets.change(caller, name, changes, ifMatch);
  }

  /**
   * Forgets a bucket without grants. The store is left as it is.
   * @remarks Its grants must be deleted first. URLs that were issued live on until they expire.
   */
  @Delete(':name')
  @HttpCode(204)
  @Conditional()
  @ApiProblems('not-found', 'in-use')
  deleteBucket(
    @Calling() caller: Caller,
    @Param('name') name: string,
    @IfMatch() ifMatch: string | undefined,
  ): Promise<void> {
    return this.buckets.remove(caller, name, ifMatch);
  }
}
