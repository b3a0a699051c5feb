import { Module } from '@nestjs/common';
import { CredentialSeal } from './credential-seal.js';
import { KeyIssuers } from './key-issuers/key-issuers.js';

@Module({ providers: [CredentialSeal, KeyIssuers], exports: [CredentialSeal, KeyIssuers] })
export class SigningKeysModule {}
