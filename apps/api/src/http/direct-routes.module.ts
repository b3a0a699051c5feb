import { Module } from '@nestjs/common';
import { IdentityModule } from '@countersign/identity';
import { RateLimitsModule } from '@countersign/rate-limits';
import { DirectRoutes } from './direct-routes.js';
import { ProblemFilter } from './problem.filter.js';
import { RequestValidationPipe } from './request-validation.pipe.js';

/** Pipe and filter are those of all routes. */
@Module({
  imports: [IdentityModule, RateLimitsModule],
  providers: [DirectRoutes, ProblemFilter, RequestValidationPipe],
  exports: [DirectRoutes, ProblemFilter, RequestValidationPipe],
})
export class DirectRoutesModule {}
