import { Module } from '@nestjs/common';
import { Database } from '@countersign/database';
import { DueUploads, UploadLeases } from '@countersign/uploads';
import { UploadStoresModule } from '../uploads/upload-stores.module.js';
import { ReconcileUpload } from './reconcile-upload.js';
import { UploadReconcilerWorker } from './upload-reconciler-worker.js';
import { UploadReconciler } from './upload-reconciler.js';

@Module({
  imports: [UploadStoresModule],
  providers: [
    ReconcileUpload,
    UploadReconciler,
    UploadReconcilerWorker,
    {
      provide: DueUploads,
      useFactory: (database: Database, { times }: UploadLeases) => new DueUploads(database, times),
      inject: [Database, UploadLeases],
    },
  ],
  exports: [UploadReconciler],
})
export class UploadReconcilerModule {}
