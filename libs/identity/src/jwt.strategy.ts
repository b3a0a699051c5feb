import { Injectable } from '@nestjs/common';
import { PassportStrategy } from '@nestjs/passport';
import { ProblemError } from '@countersign/errors';
import { ExtractJwt, Strategy } from 'passport-jwt';
import { Issuers, type Issuer } from './issuers.js';
import { SUPPORTED_ALGORITHMS } from './jwks.js';
import type { Principal } from './principal.js';
import { readToken } from './token.js';
import { VerificationKeys } from './verification-keys.js';

/** RFC 7519 §4.1.4 and §4.1.5 allow a small leeway for clock skew. */
const LEEWAY_SECONDS = 30;

/**
 * The one strategy: a JWT in `Authorization: Bearer` (RFC 6750 §2.1) to a Principal. The issuer's row, found by `iss` and `aud`, names the
 * tenant, the allowed algorithms and the keys; the token gets no say in any of them.
 */
@Injectable()
export class JwtStrategy extends PassportStrategy(Strategy, 'jwt') {
  /** Between the two halves of one verification: whose key it was. */
  readonly #issuerOf = new WeakMap<object, Issuer>();
  readonly #keys = new VerificationKeys();

  constructor(private readonly issuers: Issuers) {
    super({
      jwtFromRequest: ExtractJwt.fromAuthHeaderAsBearerToken(),
      algorithms: SUPPORTED_ALGORITHMS as [],
      jsonWebTokenOptions: { clockTolerance: LEEWAY_SECONDS },
      passReqToCallback: true,
      secretOrKeyProvider: (request: object, raw: unknown, done: (error: unknown, key?: never) => void) => {
        this.#keyOf(request, String(raw)).then(
          (key) => done(key ? null : new Error('no key of ours can have signed this token'), key as never),
          (error: unknown) => done(error),
        );
      },
    });
  }

  /** Called with the claims of a token whose signature, `exp` and `nbf` hold. Null where the claims that are ours do not. */
  validate(request: object, claims: Record<string, unknown>): Principal | null {
    const issuer = this.#issuerOf.get(request);
    const { sub, groups = [], scope = '' } = claims;
    if (!issuer || !isName(sub) || !Array.isArray(groups) || !groups.every(isName) || typeof scope !== 'string')
      return null;
    const scopes = new Set(scope.split(' ').filter((name) => name !== ''));
    if (!issuer.platform) scopes.delete('admin:platform');
    return { tenantId: issuer.tenantId, subject: sub, groups: [...new Set(groups)], scopes };
  }

  async #keyOf(request: object, raw: string) {
    const token = readToken(raw);
    if (!token) return null;
    const issuer = await this.issuers
      .find({ issuer: token.issuer, audiences: token.audiences })
      .catch((cause: unknown) => {
        throw new ProblemError('ledger-unavailable', 'The database did not answer. Try again shortly.', {
          retryAfterSeconds: 2,
          cause,
        });
      });
    if (!issuer?.algorithms.includes(token.header.alg)) return null;
    this.#issuerOf.set(request, issuer);
    return this.#keys.select(issuer.jwks, token.header);
  }
}

/** OpenID Connect Core §2: a subject has at most 255 characters. One that PostgreSQL could not store is no name. */
function isName(value: unknown): value is string {
  return (
    typeof value === 'string' &&
    value !== '' &&
    value.length <= 255 &&
    !/[\p{Surrogate}\u0000-\u001f\u007f]/u.test(value)
  );
}
