import { type DynamicModule, Module } from '@nestjs/common';
import { APP_FILTER, APP_PIPE } from '@nestjs/core';
import { type Config, ConfigModule } from '@countersign/config';
import { DatabaseModule } from '@countersign/database';
import { IdentityModule } from '@countersign/identity';
import { OutgoingModule } from '@countersign/outgoing';
import { AuditEventsModule } from './audit-events/audit-events.module.js';
import { BucketsModule } from './buckets/buckets.module.js';
import { UppyModule } from './compat/uppy/uppy.module.js';
import { DownloadUrlModule } from './download-url/download-url.module.js';
import { DownloadUrlsModule } from './download-urls/download-urls.module.js';
import { GrantsModule } from './grants/grants.module.js';
import { HealthModule } from './health/health.module.js';
import { DirectRoutesModule } from './http/direct-routes.module.js';
import { ProblemFilter } from './http/problem.filter.js';
import { RequestValidationPipe } from './http/request-validation.pipe.js';
import { IdempotencyModule } from './idempotency/idempotency.module.js';
import { IssuersModule } from './issuers/issuers.module.js';
import { MetricsModule } from './metrics/metrics.module.js';
import { PermissionChecksModule } from './permission-checks/permission-checks.module.js';
import { RotationsModule } from './rotations/rotations.module.js';
import { SigningKeysEndpointModule } from './signing-keys/signing-keys.module.js';
import { TenantsModule } from './tenants/tenants.module.js';
import { UploadUrlModule } from './upload-url/upload-url.module.js';
import { UploadUrlsModule } from './upload-urls/upload-urls.module.js';
import { UploadReconcilerModule } from './upload-reconciler/upload-reconciler.module.js';
import { UploadsModule } from './uploads/uploads.module.js';
import { UseCasesModule } from './use-cases/use-cases.module.js';

/** The whole system. IdentityModule brings the one global guard; pipe and filter are the same for every route. */
@Module({
  imports: [
    DatabaseModule,
    IdentityModule,
    DirectRoutesModule,
    DownloadUrlModule,
    UploadUrlModule,
    DownloadUrlsModule,
    UploadUrlsModule,
    UploadsModule,
    UploadReconcilerModule,
    UppyModule,
    PermissionChecksModule,
    GrantsModule,
    UseCasesModule,
    BucketsModule,
    SigningKeysEndpointModule,
    RotationsModule,
    AuditEventsModule,
    TenantsModule,
    IssuersModule,
    IdempotencyModule,
    HealthModule,
    MetricsModule,
    OutgoingModule,
  ],
  providers: [
    { provide: APP_PIPE, useExisting: RequestValidationPipe },
    { provide: APP_FILTER, useExisting: ProblemFilter },
  ],
})
export class AppModule {
  static with(config: Config): DynamicModule {
    return { module: AppModule, imports: [ConfigModule.with(config)] };
  }
}
