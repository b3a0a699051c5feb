import { Module } from '@nestjs/common';
import { UrlSigner } from './url-signer.js';

@Module({ providers: [UrlSigner], exports: [UrlSigner] })
export class SigningModule {}
