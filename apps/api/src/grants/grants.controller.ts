import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { RequireScope } from '@countersign/identity';
import { ApiProblems } from '../http/api-problems.js';
import { type Caller, Calling } from '../http/caller.js';
import { AskedOnce, Idempotent, type Once } from '../idempotency/once.js';
import { GrantPage, GrantRequest, GrantResponse, GrantsQuery } from './grants.dto.js';
import { Grants } from './grants.js';

@ApiTags('Grants')
@RequireScope('admin:tenant')
@Controller('grants')
export class GrantsController {
  constructor(private readonly grants: Grants) {}

  /**
   * Allows, or denies, a user, a group or everyone in the tenant something.
   * @remarks Name either one `key` or a `prefix`. A grant on `users/{sub}/` for everyone gives each user a folder of their own. Deny wins over every allow.
   */
  @Post()
  @Idempotent()
  @ApiProblems('unknown-reference')
  createGrant(
    @Calling() caller: Caller,
    @Body() request: GrantRequest,
    @AskedOnce() once: Once | null,
  ): Promise<GrantResponse> {
    return this.grants.create(caller, request, once);
  }

  /**
   * The tenant's grants, oldest first.
   * @remarks With `key`: who can reach this object? Groups are not resolved: what a grant to a group is worth, the token says.
   */
  @Get()
  listGrants(@Calling() caller: Caller, @Query() query: GrantsQuery): Promise<GrantPage> {
    return this.grants.list(caller, query);
  }

  /**
   * Takes a grant back; the very next request counts without it.
   * @remarks URLs that were issued by it live on until they expire.
   */
  @Delete(':id')
  @HttpCode(204)
  @ApiProblems('not-found')
  deleteGrant(@Calling() caller: Caller, @Param('id') id: string): Promise<void> {
    return this.grants.remove(caller, id);
  }
}
