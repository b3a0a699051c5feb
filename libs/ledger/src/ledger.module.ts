import { Module } from '@nestjs/common';
import { KeptIssuances } from './kept-issuances.js';
import { Ledger } from './ledger.js';

@Module({ providers: [Ledger, KeptIssuances], exports: [Ledger, KeptIssuances] })
export class LedgerModule {}
