import { Module } from '@nestjs/common';
import { SigningModule } from '@countersign/signing';
import { TenancyModule } from '@countersign/tenancy';
import { IssuanceModule } from '../../issuance/issuance.module.js';
import { UploadStoresModule } from '../../uploads/upload-stores.module.js';
import { UploadsModule } from '../../uploads/uploads.module.js';
import { CompleteUppyUpload } from './complete-uppy-upload.js';
import { IssueUppyUpload } from './issue-uppy-upload.js';
import { OnlyBucket } from './only-bucket.js';
import { UppyController } from './uppy.controller.js';

@Module({
  imports: [IssuanceModule, UploadsModule, UploadStoresModule, TenancyModule, SigningModule],
  controllers: [UppyController],
  providers: [OnlyBucket, IssueUppyUpload, CompleteUppyUpload],
})
export class UppyModule {}
