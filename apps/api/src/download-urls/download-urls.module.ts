import { Module } from '@nestjs/common';
import { IssuanceModule } from '../issuance/issuance.module.js';
import { DownloadUrlsController } from './download-urls.controller.js';

@Module({ imports: [IssuanceModule], controllers: [DownloadUrlsController] })
export class DownloadUrlsModule {}
