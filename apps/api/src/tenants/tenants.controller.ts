import { Body, Controller, Get, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { RequireScope } from '@countersign/identity';
import { ApiProblems } from '../http/api-problems.js';
import { type Caller, Calling } from '../http/caller.js';
import { Conditional, IfMatch, WithEtag } from '../http/etag.js';
import { PageQuery } from '../http/page-query.dto.js';
import { AskedOnce, Idempotent, type Once } from '../idempotency/once.js';
import { TenantChanges, TenantPage, TenantRequest, TenantResponse } from './tenants.dto.js';
import { Tenants } from './tenants.js';

@ApiTags('Platform')
@RequireScope('admin:platform')
@Controller('tenants')
export class TenantsController {
  constructor(private readonly tenants: Tenants) {}

  /**
   * Makes a tenant, with the default use cases.
   * @remarks It can do nothing until an issuer is trusted for it.
   */
  @Post()
  @Idempotent()
  @ApiProblems('already-exists')
  createTenant(
    @Calling() caller: Caller,
    @Body() request: TenantRequest,
    @AskedOnce() once: Once | null,
  ): Promise<TenantResponse> {
    return this.tenants.create(caller, request, once);
  }

  /**
   * All tenants, by slug.
   * @remarks Suspended ones too.
   */
  @Get()
  listTenants(@Query() query: PageQuery): Promise<TenantPage> {
    return this.tenants.list(query);
  }

  /**
   * One tenant.
   * @remarks With the ETag that a change of it takes.
   */
  @Get(':slug')
  @WithEtag()
  @ApiProblems('not-found')
  getTenant(@Param('slug') slug: string): Promise<TenantResponse> {
    return this.tenants.get(slug);
  }

  /**
   * Renames, suspends or reactivates a tenant.
   * @remarks Fields that are left out stay as they are. The operator's own tenant cannot be suspended.
   */
  @Patch(':slug')
  @WithEtag()
  @Conditional()
  @ApiProblems('not-found', 'in-use')
  changeTenant(
    @Calling() caller: Caller,
    @Param('slug') slug: string,
    @Body() changes: TenantChanges,
    @IfMatch() ifMatch: string | undefined,
  ): Promise<TenantResponse> {
    return this.tenants.change(caller, slug, changes, ifMatch);
  }
}
