import { Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { PassportModule } from '@nestjs/passport';
import { RateLimitsModule } from '@countersign/rate-limits';
import { Issuers } from './issuers.js';
import { JwtAuthGuard } from './jwt-auth.guard.js';
import { JwtStrategy } from './jwt.strategy.js';

/** Brings the global guard with it: an app that knows identity cannot forget to ask for it. */
@Module({
  imports: [PassportModule, RateLimitsModule],
  providers: [Issuers, JwtStrategy, JwtAuthGuard, { provide: APP_GUARD, useExisting: JwtAuthGuard }],
  exports: [JwtAuthGuard],
})
export class IdentityModule {}
