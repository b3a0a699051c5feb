import { Module } from '@nestjs/common';
import { Config } from '@countersign/config';
import { Database } from '@countersign/database';
import { SigningKeysModule } from '@countersign/signing-keys';
import { UPLOAD_TIMES, UploadLeases } from '@countersign/uploads';
import { ClearUpload } from './clear-upload.js';
import { DeadStarts } from './dead-starts.js';
import { FindUpload } from './find-upload.js';
import { SettleUpload } from './settle-upload.js';
import { StartMultipart } from './start-multipart.js';
import { StoreAccess } from './store-access.js';

const DAY_MS = 86_400_000;

/** What is done with uploads at their stores, whoever asks for it: the issuing calls, the calls of an upload, the reconciler. */
@Module({
  imports: [SigningKeysModule],
  providers: [
    {
      provide: UploadLeases,
      useFactory: (database: Database, { uploadRetentionDays }: Config) =>
        new UploadLeases(database, { ...UPLOAD_TIMES, retentionMs: uploadRetentionDays * DAY_MS }),
      inject: [Database, Config],
    },
    FindUpload,
    StoreAccess,
    DeadStarts,
    ClearUpload,
    SettleUpload,
    StartMultipart,
  ],
  exports: [UploadLeases, FindUpload, StoreAccess, DeadStarts, ClearUpload, SettleUpload, StartMultipart],
})
export class UploadStoresModule {}
