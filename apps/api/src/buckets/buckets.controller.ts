import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { RequireScope } from '@countersign/identity';
import { ApiProblems } from '../http/api-problems.js';
import { type Caller, Calling } from '../http/caller.js';
import { Conditional, IfMatch, WithEtag } from '../http/etag.js';
import { PageQuery } from '../http/page-query.dto.js';
import { AskedOnce, Idempotent, type Once } from '../idempotency/once.js';
import { BucketChanges, BucketPage, BucketRequest, BucketResponse } from './buckets.dto.js';
import { Buckets } from './buckets.js';
import { BucketCheckResponse } from './check/bucket-check.dto.js';
import { CheckBucket } from './check/check-bucket.js';
import { StoragePolicies } from './storage-policies.js';
import { StoragePolicyResponse } from './storage-policy.dto.js';

@ApiTags('Buckets')
@RequireScope('admin:tenant')
@Controller('buckets')
export class BucketsController {
  constructor(
    private readonly buckets: Buckets,
    private readonly policies: StoragePolicies,
    private readonly check: CheckBucket,
  ) {}

  /**
   * Registers a storage location; its credentials become the first signing key.
   * @remarks No store is contacted: a mistake shows at the first URL. The secrets are encrypted at rest and never come out again.
   */
  @Post()
  @Idempotent()
  @ApiProblems('already-exists', 'endpoint-not-allowed', 'key-issuer-not-available')
  createBucket(
    @Calling() caller: Caller,
    @Body() request: BucketRequest,
    @AskedOnce() once: Once | null,
  ): Promise<BucketResponse> {
    return this.buckets.create(caller, request, once);
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
   * Changes where a bucket is reached, and who changes its signing keys. The keys themselves are not changed here: that is a rotation.
   * @remarks Fields that are left out stay as they are. URLs that were issued keep the address that they were signed for. The key
   * issuer's secret is encrypted at rest and never comes out again.
   */
  @Patch(':name')
  @WithEtag()
  @Conditional()
  @ApiProblems('not-found', 'endpoint-not-allowed', 'key-issuer-not-available', 'rotation-under-way')
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
   * @remarks Its grants must be deleted first, and a rotation must be done. URLs that were issued live on until they expire.
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

  /**
   * The least that the bucket's signing keys need at the store, as policies to paste.
   * @remarks Its prefix, its verbs, no copying by the back door, TLS only, no signature older than any use case allows. Made from what is
   * registered; no store is contacted.
   */
  @Get(':name/storage-policy')
  @ApiProblems('not-found', 'policy-not-expressible')
  getStoragePolicy(@Calling() caller: Caller, @Param('name') name: string): Promise<StoragePolicyResponse> {
    return this.policies.get(caller, name);
  }

  /**
   * Tries a bucket for real, by its active signing key: each property with its result, and what to do where it fails.
   * @remarks It takes up to half a minute, and touches nothing but keys under `.countersign-check/`, which it removes where the key may. A
   * store that does not answer is a result too.
   */
  @Post(':name/check')
  @HttpCode(200)
  @ApiProblems('not-found', 'endpoint-not-allowed')
  checkBucket(@Calling() caller: Caller, @Param('name') name: string): Promise<BucketCheckResponse> {
    return this.check.execute(caller, name);
  }
}
