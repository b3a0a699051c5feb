import { Module } from '@nestjs/common';
import { CredentialSeal } from './credential-seal.js';

@Module({ providers: [CredentialSeal], exports: [CredentialSeal] })
export class SigningKeysModule {}
