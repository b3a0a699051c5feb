import { Body, Controller, Get, Post, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import { RequireScope } from '@countersign/identity';
import { ApiProblems } from '../http/api-problems.js';
import { type Caller, Calling } from '../http/caller.js';
import { PageQuery } from '../http/paging.js';
import { IssuerPage, IssuerRequest, IssuerResponse } from './issuers.dto.js';
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
}
