import { Module } from '@nestjs/common';
import { IssuersController } from './issuers.controller.js';
import { Issuers } from './issuers.js';

@Module({ controllers: [IssuersController], providers: [Issuers] })
export class IssuersModule {}
