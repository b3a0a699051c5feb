import { Module } from '@nestjs/common';
import { UseCasesController } from './use-cases.controller.js';
import { UseCases } from './use-cases.js';

@Module({ controllers: [UseCasesController], providers: [UseCases] })
export class UseCasesModule {}
