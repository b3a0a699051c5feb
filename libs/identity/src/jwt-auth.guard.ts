import type { IncomingHttpHeaders } from 'node:http';
import { type ExecutionContext, Injectable, type Type } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { AuthGuard } from '@nestjs/passport';
import { ProblemError } from '@countersign/errors';
import { RateLimits } from '@countersign/rate-limits';
import { IS_PUBLIC, REQUIREMENT, type Requirement } from './decorators.js';
import { JwtStrategy } from './jwt.strategy.js';
import type { Principal } from './principal.js';

interface AuthenticatedRequest {
  headers: IncomingHttpHeaders;
  user: Principal;
}

/** As much of an answer as the guard writes: what is left of the caller's quota. */
interface Answer {
  header(name: string, value: string): unknown;
}

type Handler = ReturnType<ExecutionContext['getHandler']>;

/** What one route asks of its caller. */
interface Rule {
  controller: Type;
  isPublic: boolean;
  required: Requirement | undefined;
}

/**
 * The one global guard (invariant 9): a route is public only where it says so. 401 for any token that is not good, always the same, so
 * that trying tokens teaches nothing; 429 for a caller who asks too much; 403 for a token that lacks the route's scope.
 */
@Injectable()
export class JwtAuthGuard extends AuthGuard('jwt') {
  readonly #rules = new Map<Handler, Rule>();

  constructor(
    private readonly reflector: Reflector,
    private readonly strategy: JwtStrategy,
    private readonly rateLimits: RateLimits,
  ) {
    super();
  }

  override async canActivate(context: ExecutionContext): Promise<boolean> {
    const { isPublic, required } = this.#ruleOf(context.getHandler(), context.getClass());
    if (isPublic) return true;
    const http = context.switchToHttp();
    const request = http.getRequest<AuthenticatedRequest>();
    const { authorization = '' } = request.headers;
    const refused = this.rateLimits.refuseAgain(authorization, http.getResponse<Answer>());
    if (refused) await refused;
    const known = await this.strategy.recognise(request);
    if (known) request.user = known;
    else await super.canActivate(context);
    this.rateLimits.take(request.user, 1, http.getResponse<Answer>(), authorization);
    const { scopes, isSuspended } = request.user;
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

  /** What the route is decorated with: read once, for it does not change. */
  #ruleOf(handler: Handler, controller: Type): Rule {
    const known = this.#rules.get(handler);
    if (known?.controller === controller) return known;
    const routes = [handler, controller];
    const rule = {
      controller,
      isPublic: this.reflector.getAllAndOverride<boolean | undefined>(IS_PUBLIC, routes) === true,
      required: this.reflector.getAllAndOverride<Requirement | undefined>(REQUIREMENT, routes),
    };
    this.#rules.set(handler, rule);
    return rule;
  }

  /** passport-jwt reports a fault of ours as a failed token: it must stay a 503, or an outage would log everybody out. */
  override handleRequest<User>(error: unknown, user: User, info: unknown): User {
    if (info instanceof ProblemError) throw info;
    if (error || !user)
      throw new ProblemError('unauthenticated', 'The call needs a valid access token: "Authorization: Bearer <JWT>".');
    return user;
  }
}
