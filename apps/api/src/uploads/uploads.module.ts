import { Module } from '@nestjs/common';
import { LedgerModule } from '@countersign/ledger';
import { RateLimitsModule } from '@countersign/rate-limits';
import { SigningModule } from '@countersign/signing';
import { SigningKeysModule } from '@countersign/signing-keys';
import { TenancyModule } from '@countersign/tenancy';
import { AbortUpload } from './abort-upload.js';
import { CompleteUpload } from './complete-upload.js';
import { IssueParts } from './issue-parts.js';
import { ListParts } from './list-parts.js';
import { UploadPermission } from './permission.js';
import { UploadStoresModule } from './upload-stores.module.js';
import { UploadsController } from './uploads.controller.js';

@Module({
  imports: [RateLimitsModule, TenancyModule, LedgerModule, SigningModule, SigningKeysModule, UploadStoresModule],
  controllers: [UploadsController],
  providers: [UploadPermission, IssueParts, ListParts, CompleteUpload, AbortUpload],
  exports: [IssueParts, ListParts, CompleteUpload, AbortUpload],
})
export class UploadsModule {}
