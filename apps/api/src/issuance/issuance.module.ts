import { Module } from '@nestjs/common';
import { LedgerModule } from '@countersign/ledger';
import { SigningModule } from '@countersign/signing';
import { SigningKeysModule } from '@countersign/signing-keys';
import { TenancyModule } from '@countersign/tenancy';
import { DirectRoutesModule } from '../http/direct-routes.module.js';
import { UploadStoresModule } from '../uploads/upload-stores.module.js';
import { IssueBatch } from './issue-batch.js';
import { IssueUrl } from './issue-url.js';

@Module({
  imports: [TenancyModule, LedgerModule, SigningKeysModule, SigningModule, UploadStoresModule, DirectRoutesModule],
  providers: [IssueUrl, IssueBatch],
  exports: [IssueUrl, IssueBatch, DirectRoutesModule],
})
export class IssuanceModule {}
