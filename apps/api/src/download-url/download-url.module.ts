import { Module } from '@nestjs/common';
import { IssuanceModule } from '../issuance/issuance.module.js';
import { DownloadUrlController } from './download-url.controller.js';
import { IssueDownloadUrl } from './issue-download-url.js';

@Module({ imports: [IssuanceModule], controllers: [DownloadUrlController], providers: [IssueDownloadUrl] })
export class DownloadUrlModule {}
