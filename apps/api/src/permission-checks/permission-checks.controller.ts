import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { RequireScope } from '@countersign/identity';
import { type Caller, Calling } from '../http/caller.js';
import { CheckPermissions } from './check-permissions.js';
import { PermissionChecks, PermissionChecksRequest } from './permission-checks.dto.js';

@ApiTags('URLs')
@Controller('permission-checks')
export class PermissionChecksController {
  constructor(private readonly permissions: CheckPermissions) {}

  /**
   * Says what the caller may do, and which policy would apply. Nothing is signed.
   * @remarks For a page that shows only what its user may do. The issuing calls decide again, and theirs is what counts.
   */
  @Post()
  @HttpCode(200)
  @RequireScope('read:objects')
  async checkPermissions(
    @Calling() caller: Caller,
    @Body() { items }: PermissionChecksRequest,
  ): Promise<PermissionChecks> {
    return { items: await this.permissions.execute(caller, items) };
  }
}
