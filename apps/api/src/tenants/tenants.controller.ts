import { Body, Controller, Get, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import { RequireScope } from '@countersign/identity';
import { ApiProblems } from '../http/api-problems.js';
import { type Caller, Calling } from '../http/caller.js';
import { Conditional, IfMatch, WithEtag } from '../http/etag.js';
import { PageQuery } from '../http/paging.js';
import { TenantChanges, TenantPage, TenantRequest, TenantResponse } from './tenants.dto.js';
import { Tenants } from './tenants.js';

@ApiTags('Platform')
@ApiBearerAuth()
@RequireScope('admin:platform')
@Controller('tenants')
export class TenantsController {
  constructor(private readonly tenants: Tenants) {}

  /** Makes a tenant, with the default use cases. */
  @Post()
  @ApiProblems(400, 401, 403, 409, 413, 415, 503)
  create(@Calling() caller: Caller, @Body() request: TenantRequest): Promise<TenantResponse> {
    return this.tenants.create(caller, request);
  }

  /** All tenants, by slug. */
  @Get()
  @ApiProblems(400, 401, 403, 503)
  list(@Query() query: PageQuery): Promise<TenantPage> {
    return this.tenants.list(query);
  }

  /** One tenant. */
  @Get(':slug')
  @WithEtag()
  @ApiProblems(401, 403, 404, 503)
  get(@Param('slug') slug: string): Promise<TenantResponse> {
    return this.tenants.get(slug);
  }

  /** Renames, suspends or reactivates a tenant. */
  @Patch(':slug')
  @WithEtag()
  @Conditional()
  @ApiProblems(400, 401, 403, 404, 409, 412, 413, 415, 503)
  change(
    @Calling() caller: Caller,
    @Param('slug') slug: string,
    @Body() changes: TenantChanges,
    @IfMatch() ifMatch: string | undefined,
  ): Promise<TenantResponse> {
    return this.tenants.change(caller, slug, changes, ifMatch);
  }
}
