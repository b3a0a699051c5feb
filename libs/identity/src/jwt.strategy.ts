import type { KeyObject } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { PassportStrategy } from '@nestjs/passport';
import { ProblemError } from '@countersign/errors';
import { ExtractJwt, Strategy } from 'passport-jwt';
import { type Claims, isName, readClaim, readScopes } from './claims.js';
import { Issuers, type Issuer, type Tenant } from './issuers.js';
import { type JsonWebKeySet, selectKey, SUPPORTED_ALGORITHMS } from './jwks.js';
import type { Principal } from './principal.js';
import { RemoteJwks } from './remote-jwks.js';
import { readToken, type UnverifiedToken } from './token.js';
import { VerificationKeys } from './verification-keys.js';

/** Whom the ledger names where nobody called: a user of that name could write in it as us, and their URLs would count for nobody's. */
const RESERVED_SUBJECTS: ReadonlySet<string> = new Set(['system:rotation', 'system:check', 'system:seed']);

/** RFC 7519 §4.1.4 and §4.1.5 allow a small leeway for clock skew. */
const LEEWAY_SECONDS = 30;

/**
 * The one strategy: a JWT in `Authorization: Bearer` (RFC 6750 §2.1) to a Principal. The issuer's row, found by `iss` and `aud`, names the
 * tenant (or the claim that does), the allowed algorithms and the keys; the token gets no say in any of them.
 */
@Injectable()
export class JwtStrategy extends PassportStrategy(Strategy, 'jwt') {
  /** Between the two halves of one verification: whose key it was. */
  readonly #issuerOf = new WeakMap<object, Issuer>();
  readonly #keys = new VerificationKeys();
  readonly #remoteJwks = new RemoteJwks();

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
  async validate(request: object, claims: Claims): Promise<Principal | null> {
    const issuer = this.#issuerOf.get(request);
    if (!issuer) return null;
    const subject = readClaim(claims, issuer.subjectClaim);
    const groups = readClaim(claims, issuer.groupsClaim) ?? [];
    const scopes = readScopes(readClaim(claims, issuer.scopeClaim), issuer.scopePrefix);
    if (
      !isName(subject) ||
      RESERVED_SUBJECTS.has(subject) ||
      !Array.isArray(groups) ||
      !groups.every(isName) ||
      !scopes
    )
      return null;
    if (!issuer.platform) scopes.delete('admin:platform');
    const tenant = issuer.tenant ?? (await this.#claimedTenant(issuer, claims));
    return (
      tenant && {
        tenantId: tenant.id,
        isSuspended: tenant.state === 'suspended',
        subject,
        groups: [...new Set(groups)],
        scopes,
      }
    );
  }

  async #keyOf(request: object, raw: string): Promise<KeyObject | null> {
    const token = readToken(raw);
    if (!token) return null;
    const issuer = await this.issuers.find({ issuer: token.issuer, audiences: token.audiences }).catch(databaseFault);
    if (!issuer?.algorithms.includes(token.header.alg)) return null;
    this.#issuerOf.set(request, issuer);
    return this.#keys.select(issuer.jwks ?? (await this.#fetchedKeys(issuer, token)), token.header);
  }

  #fetchedKeys({ jwksUri }: Issuer, { header }: UnverifiedToken): Promise<JsonWebKeySet> {
    return this.#remoteJwks
      .get(jwksUri ?? '', (keys) => selectKey(keys, header) !== null)
      .catch((cause: unknown) => {
        const detail = "The token's issuer does not give its keys. Try again shortly.";
        throw new ProblemError('issuer-unavailable', detail, { retryAfterSeconds: 30, cause });
      });
  }

  /** The tenant whose slug the claim holds, if this issuer may speak for it: a token of one tenant's provider opens no other's door. */
  async #claimedTenant({ id, tenantClaim }: Issuer, claims: Claims): Promise<Tenant | null> {
    const slug = tenantClaim === null ? undefined : readClaim(claims, tenantClaim);
    return isName(slug) ? this.issuers.findTenant(id, slug).catch(databaseFault) : null;
  }
}

function databaseFault(cause: unknown): never {
  throw new ProblemError('ledger-unavailable', 'The database did not answer. Try again shortly.', {
    retryAfterSeconds: 2,
    cause,
  });
}
