import { Module } from '@nestjs/common';
import { IssuanceModule } from '../issuance/issuance.module.js';
import { UploadUrlsController } from './upload-urls.controller.js';

@Module({ imports: [IssuanceModule], controllers: [UploadUrlsController] })
export class UploadUrlsModule {}
