import { Module } from '@nestjs/common';
import { LedgerModule } from '@countersign/ledger';
import { SigningModule } from '@countersign/signing';
import { SigningKeysModule } from '@countersign/signing-keys';
import { TenancyModule } from '@countersign/tenancy';
import { BucketsController } from './buckets.controller.js';
import { Buckets } from './buckets.js';
import { CheckBucket } from './check/check-bucket.js';
import { StoragePolicies } from './storage-policies.js';

@Module({
  imports: [TenancyModule, LedgerModule, SigningKeysModule, SigningModule],
  controllers: [BucketsController],
  providers: [Buckets, CheckBucket, StoragePolicies],
})
export class BucketsModule {}
