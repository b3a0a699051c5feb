import { Module } from '@nestjs/common';
import { Tenancy } from './tenancy.js';

@Module({ providers: [Tenancy], exports: [Tenancy] })
export class TenancyModule {}
