import type { IncomingHttpHeaders } from 'node:http';
import { type ExecutionContext, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { AuthGuard } from '@nestjs/passport';
import { ProblemError } from '@countersign/errors';
import { IS_PUBLIC, REQUIREMENT, type Requirement } from './decorators.js';
import { JwtStrategy } from './jwt.strategy.js';
import type { Principal } from './principal.js';

interface AuthenticatedRequest {
  headers: IncomingHttpHeaders;
  user: Principal;
}

/**
 * The one global guard (invariant 9): a route is public only where it says so. 401 for any token that is not good, always the same, so
 * that trying tokens teaches nothing; 403 for one that lacks the route's scope.
 */
@Injectable()
export class JwtAuthGuard extends AuthGuard('jwt') {
  constructor(
    private readonly reflector: Reflector,
    private readonly strategy: JwtStrategy,
  ) {
    super();
  }

  override async canActivate(context: ExecutionContext): Promise<boolean> {
    const routes = [context.getHandler(), context.getClass()];
    if (this.reflector.getAllAndOverride<boolean>(IS_PUBLIC, routes)) return true;
    const request = context.switchToHttp().getRequest<AuthenticatedRequest>();
    const known = await this.strategy.recognise(request);
    if (known) request.user = known;
    else await super.canActivate(context);
    const { scopes, isSuspended } = request.user;
    const required = this.reflector.getAllAndOverride<Requirement | undefined>(REQUIREMENT, routes);
    if (!required || !scopes.has(required.scope)) {
      throw new ProblemError(
        'scope-missing',
        `This call needs the scope "${required?.scope ?? 'none that exists'}" in the token.`,
      );
    }
    if (isSuspended && !required.decidesOnSuspended)
      throw new ProblemError('tenant-suspended', 'The tenant is suspended: ask its operator.');
    return true;
  }

  /** passport-jwt reports a fault of ours as a failed token: it must stay a 503, or an outage would log everybody out. */
  override handleRequest<User>(error: unknown, user: User, info: unknown): User {
    if (info instanceof ProblemError) throw info;
    if (error || !user)
      throw new ProblemError('unauthenticated', 'The call needs a valid access token: "Authorization: Bearer <JWT>".');
    return user;
  }
}
