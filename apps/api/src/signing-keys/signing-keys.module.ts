import { Module } from '@nestjs/common';
import { RotationsModule } from '../rotations/rotations.module.js';
import { SigningKeysController } from './signing-keys.controller.js';
import { SigningKeys } from './signing-keys.js';

@Module({ imports: [RotationsModule], controllers: [SigningKeysController], providers: [SigningKeys] })
export class SigningKeysEndpointModule {}
