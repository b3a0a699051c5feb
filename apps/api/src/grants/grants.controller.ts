import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import { RequireScope } from '@countersign/identity';
import { ApiProblems } from '../http/api-problems.js';
import { type Caller, Calling } from '../http/caller.js';
import { GrantPage, GrantRequest, GrantResponse, GrantsQuery } from './grants.dto.js';
import { Grants } from './grants.js';

@ApiTags('Grants')
@ApiBearerAuth()
@RequireScope('admin:tenant')
@Controller('grants')
export class GrantsController {
  constructor(private readonly grants: Grants) {}

  /** Allows, or denies, a user, a group or everyone in the tenant something. */
  @Post()
  @ApiProblems(400, 401, 403, 413, 415, 422, 503)
  create(@Calling() caller: Caller, @Body() request: GrantRequest): Promise<GrantResponse> {
    return this.grants.create(caller, request);
  }

  /** The tenant's grants, oldest first. */
  @Get()
  @ApiProblems(400, 401, 403, 503)
  list(@Calling() caller: Caller, @Query() query: GrantsQuery): Promise<GrantPage> {
    return this.grants.list(caller, query);
  }

  /** Takes a grant back; the very next request counts without it. */
  @Delete(':id')
  @HttpCode(204)
  @ApiProblems(401, 403, 404, 503)
  remove(@Calling() caller: Caller, @Param('id') id: string): Promise<void> {
    return this.grants.remove(caller, id);
  }
}
