import { Module } from '@nestjs/common';
import { SigningKeysModule } from '@countersign/signing-keys';
import { BucketsController } from './buckets.controller.js';
import { Buckets } from './buckets.js';

@Module({ imports: [SigningKeysModule], controllers: [BucketsController], providers: [Buckets] })
export class BucketsModule {}
