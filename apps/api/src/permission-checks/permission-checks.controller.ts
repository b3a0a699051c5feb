import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import { RequireScope } from '@countersign/identity';
import { ApiProblems } from '../http/api-problems.js';
import { type Caller, Calling } from '../http/caller.js';
import { CheckPermissions } from './check-permissions.js';
import { PermissionChecks, PermissionChecksRequest } from './permission-checks.dto.js';

@ApiTags('URLs')
@ApiBearerAuth()
@Controller('permission-checks')
export class PermissionChecksController {
  constructor(private readonly checkPermissions: CheckPermissions) {}

  /** Says what the caller may do, and which policy would apply. Nothing is signed. */
  @Post()
  @HttpCode(200)
  @RequireScope('read:objects')
  @ApiProblems(400, 401, 403, 413, 415, 503)
  async check(@Calling() caller: Caller, @Body() { items }: PermissionChecksRequest): Promise<PermissionChecks> {
    return { items: await this.checkPermissions.execute(caller, items) };
  }
}
