import { Module } from '@nestjs/common';
import { ObjectAddresses } from './object-address.js';
import { UrlSigner } from './url-signer.js';

@Module({ providers: [ObjectAddresses, UrlSigner], exports: [ObjectAddresses, UrlSigner] })
export class SigningModule {}
