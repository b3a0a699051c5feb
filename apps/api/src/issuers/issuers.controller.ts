import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { RequireScope } from '@countersign/identity';
import { ApiProblems } from '../http/api-problems.js';
import { type Caller, Calling } from '../http/caller.js';
import { Conditional, IfMatch, WithEtag } from '../http/etag.js';
import { PageQuery } from '../http/page-query.dto.js';
import { AskedOnce, Idempotent, type Once } from '../idempotency/once.js';
import { IssuerChanges, IssuerPage, IssuerRequest, IssuerResponse } from './issuers.dto.js';
import { Issuers } from './issuers.js';

@ApiTags('Platform')
@RequireScope('admin:platform')
@Controller('issuers')
export class IssuersController {
  constructor(private readonly issuers: Issuers) {}

  /**
   * Trusts an OpenID issuer's tokens for a tenant.
   * @remarks Its keys are given, or fetched from `jwksUri`. One identity provider may serve many tenants, by a claim that holds their slug.
   */
  @Post()
  @Idempotent()
  @ApiProblems('already-exists', 'unknown-reference', 'endpoint-not-allowed')
  createIssuer(
    @Calling() caller: Caller,
    @Body() request: IssuerRequest,
    @AskedOnce() once: Once | null,
  ): Promise<IssuerResponse> {
    return this.issuers.create(caller, request, once);
  }

  /**
   * All trusted issuers.
   * @remarks Those of every tenant.
   */
  @Get()
  listIssuers(@Query() query: PageQuery): Promise<IssuerPage> {
    return this.issuers.list(query);
  }

  /**
   * One trusted issuer.
   * @remarks With the ETag that a change of it takes.
   */
  @Get(':id')
  @WithEtag()
  @ApiProblems('not-found')
  getIssuer(@Param('id') id: string): Promise<IssuerResponse> {
    return this.issuers.get(id);
  }

  /**
   * Changes the fields that are given.
   * @remarks Whose tokens it is for cannot be changed: make another issuer.
   */
  @Patch(':id')
  @WithEtag()
  @Conditional()
  @ApiProblems('not-found', 'endpoint-not-allowed')
  changeIssuer(
    @Calling() caller: Caller,
    @Param('id') id: string,
    @Body() changes: IssuerChanges,
    @IfMatch() ifMatch: string | undefined,
  ): Promise<IssuerResponse> {
    return this.issuers.change(caller, id, changes, ifMatch);
  }

  /**
   * Stops trusting an issuer; its tokens are refused from then on.
   * @remarks URLs that were issued to its users live on until they expire.
   */
  @Delete(':id')
  @HttpCode(204)
  @Conditional()
  @ApiProblems('not-found')
  deleteIssuer(
    @Calling() caller: Caller,
    @Param('id') id: string,
    @IfMatch() ifMatch: string | undefined,
  ): Promise<void> {
    return this.issuers.remove(caller, id, ifMatch);
  }
}
