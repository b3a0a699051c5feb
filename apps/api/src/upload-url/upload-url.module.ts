import { Module } from '@nestjs/common';
import { IssuanceModule } from '../issuance/issuance.module.js';
import { IssueUploadUrl } from './issue-upload-url.js';
import { UploadUrlController } from './upload-url.controller.js';

@Module({ imports: [IssuanceModule], controllers: [UploadUrlController], providers: [IssueUploadUrl] })
export class UploadUrlModule {}
