import { Module } from '@nestjs/common';
import { GrantsController } from './grants.controller.js';
import { Grants } from './grants.js';

@Module({ controllers: [GrantsController], providers: [Grants] })
export class GrantsModule {}
