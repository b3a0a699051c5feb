import { Module } from '@nestjs/common';
import { TenancyModule } from '@countersign/tenancy';
import { CheckPermissions } from './check-permissions.js';
import { PermissionChecksController } from './permission-checks.controller.js';

@Module({ imports: [TenancyModule], controllers: [PermissionChecksController], providers: [CheckPermissions] })
export class PermissionChecksModule {}
