import { Module } from '@nestjs/common';
import { LedgerModule } from '@countersign/ledger';
import { SigningModule } from '@countersign/signing';
import { SigningKeysModule } from '@countersign/signing-keys';
import { TenancyModule } from '@countersign/tenancy';
import { IssueUrl } from './issue-url.js';

@Module({
  imports: [TenancyModule, LedgerModule, SigningKeysModule, SigningModule],
  providers: [IssueUrl],
  exports: [IssueUrl],
})
export class IssuanceModule {}
