import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import { RequireScope } from '@countersign/identity';
import { ApiProblems } from '../http/api-problems.js';
import { type Caller, Calling } from '../http/caller.js';
import { Conditional, IfMatch, WithEtag } from '../http/etag.js';
import { PageQuery } from '../http/paging.js';
import { IssuerChanges, IssuerPage, IssuerRequest, IssuerResponse } from './issuers.dto.js';
import { Issuers } from './issuers.js';

@ApiTags('Platform')
@ApiBearerAuth()
@RequireScope('admin:platform')
@Controller('issuers')
export class IssuersController {
  constructor(private readonly issuers: Issuers) {}

  /** Trusts an OpenID issuer's tokens for a tenant. */
  @Post()
  @ApiProblems(400, 401, 403, 409, 413, 415, 422, 503)
  create(@Calling() caller: Caller, @Body() request: IssuerRequest): Promise<IssuerResponse> {
    return this.issuers.create(caller, request);
  }

  /** All trusted issuers. */
  @Get()
  @ApiProblems(400, 401, 403, 503)
  list(@Query() query: PageQuery): Promise<IssuerPage> {
    return this.issuers.list(query);
  }

  /** One trusted issuer. */
  @Get(':id')
  @WithEtag()
  @ApiProblems(401, 403, 404, 503)
  get(@Param('id') id: string): Promise<IssuerResponse> {
    return this.issuers.get(id);
  }

  /** Changes the fields that are given. */
  @Patch(':id')
  @WithEtag()
  @Conditional()
  @ApiProblems(400, 401, 403, 404, 412, 413, 415, 422, 503)
  change(
    @Calling() caller: Caller,
    @Param('id') id: string,
    @Body() changes: IssuerChanges,
    @IfMatch() ifMatch: string | undefined,
  ): Promise<IssuerResponse> {
    return this.issuers.change(caller, id, changes, ifMatch);
  }

  /** Stops trusting an issuer; its tokens are refused from then on. */
  @Delete(':id')
  @HttpCode(204)
  @Conditional()
  @ApiProblems(401, 403, 404, 412, 503)
  remove(@Calling() caller: Caller, @Param('id') id: string, @IfMatch() ifMatch: string | undefined): Promise<void> {
    return this.issuers.remove(caller, id, ifMatch);
  }
}
