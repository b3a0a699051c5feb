import type { KeyObject } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { Injectable } from '@nestjs/common';
import { PassportStrategy } from '@nestjs/passport';
import { hotPathProblem } from '@countersign/database';
import { ProblemError } from '@countersign/errors';
import { Outgoing } from '@countersign/outgoing';
import { Strategy } from 'passport-jwt';
import { type Claims, isName, readClaim, readScopes } from './claims.js';
import { Issuers, type Issuer, type Tenant } from './issuers.js';
import { type JsonWebKeySet, selectKey, SUPPORTED_ALGORITHMS } from './jwks.js';
import type { Principal } from './principal.js';
import { RemoteJwks } from './remote-jwks.js';
import { readToken, type UnverifiedToken } from './token.js';
import { VerificationKeys } from './verification-keys.js';
import { LEEWAY_SECONDS, type VerifiedToken, VerifiedTokens } from './verified-tokens.js';

/** Whom the ledger names where nobody called: a user of that name could write in it as us, and their URLs would count for nobody's. */
const RESERVED_SUBJECTS: ReadonlySet<string> = new Set([
  'system:rotation',
  'system:uploads',
  'system:check',
  'system:seed',
]);

/** As much of a request as identity needs. */
interface Request {
  headers: IncomingHttpHeaders;
}

/** Between the two halves of one verification: what was to be checked, by whose keys. */
interface Verification {
  token: UnverifiedToken;
  issuer: Issuer;
  keys: JsonWebKeySet;
}

/**
 * The one strategy: a JWT in `Authorization: Bearer` (RFC 6750 §2.1) to a Principal. The issuer's row, found by `iss` and `aud`, names the
 * tenant (or the claim that does), the allowed algorithms and the keys; the token gets no say in any of them.
 */
@Injectable()
export class JwtStrategy extends PassportStrategy(Strategy, 'jwt') {
  readonly #verifications = new WeakMap<Request, Verification>();
  readonly #verified = new VerifiedTokens();
  readonly #keys = new VerificationKeys();
  readonly #remoteJwks: RemoteJwks;

  constructor(
    private readonly issuers: Issuers,
    outgoing: Outgoing,
  ) {
    super({
      jwtFromRequest: bearerToken,
      algorithms: SUPPORTED_ALGORITHMS as [],
      jsonWebTokenOptions: { clockTolerance: LEEWAY_SECONDS },
      passReqToCallback: true,
      secretOrKeyProvider: (request: Request, raw: unknown, done: (error: unknown, key?: never) => void) => {
        this.#keyOf(request, String(raw)).then(
          (key) => done(key ? null : new Error('no key of ours can have signed this token'), key as never),
          (error: unknown) => done(error),
        );
      },
    });
    this.#remoteJwks = new RemoteJwks(outgoing);
  }

  /** Who calls, where the signature of this very token was checked before, and whoever vouched for it still does; else null. */
  async recognise({ headers: { authorization = '' } }: Request): Promise<Principal | null> {
    const token = this.#verified.get(authorization);
    if (!token) return null;
    const issuer = await this.#findIssuer(token);
    if (issuer?.version === token.issuerVersion) {
      const isSigned = issuer.jwks !== null || (await this.#fetchedKeys(issuer, () => true)) === token.keys;
      if (isSigned) return this.#principalOf(token, issuer);
    }
    this.#verified.forget(authorization);
    return null;
  }

  /** Called with the claims of a token whose signature, `exp` and `nbf` hold. Null where the claims that are ours do not. */
  async validate(request: Request, claims: Claims): Promise<Principal | null> {
    const verification = this.#verifications.get(request);
    const token = verification && toVerified(verification, claims);
    if (!token) return null;
    this.#verified.keep(request.headers.authorization ?? '', token);
    return this.#principalOf(token, verification.issuer);
  }

  async #keyOf(request: Request, raw: string): Promise<KeyObject | null> {
    const token = readToken(raw);
    if (!token) return null;
    const issuer = await this.#findIssuer(token);
    if (!issuer?.algorithms.includes(token.header.alg)) return null;
    const isEnough = (keys: JsonWebKeySet) => selectKey(keys, token.header) !== null;
    const keys = issuer.jwks ?? (await this.#fetchedKeys(issuer, isEnough));
    this.#verifications.set(request, { token, issuer, keys });
    return this.#keys.select(keys, token.header);
  }

  #findIssuer({ issuer, audiences }: Pick<UnverifiedToken, 'issuer' | 'audiences'>): Promise<Issuer | null> {
    return this.issuers.find({ issuer, audiences }).catch(databaseFault);
  }

  #fetchedKeys({ jwksUri }: Issuer, isEnough: (keys: JsonWebKeySet) => boolean): Promise<JsonWebKeySet> {
    return this.#remoteJwks.get(jwksUri ?? '', isEnough).catch((cause: unknown) => {
      const detail = "The token's issuer does not give its keys. Try again shortly.";
      throw new ProblemError('issuer-unavailable', detail, { retryAfterSeconds: 30, cause });
    });
  }

  /** The tenant is the issuer's, or that whose slug the token names, if this issuer may speak for it: no tenant's provider opens another's door. */
  #principalOf(token: VerifiedToken, issuer: Issuer): Principal | null | Promise<Principal | null> {
    const { slug } = token;
    if (issuer.tenant || slug === null) return toPrincipal(token, issuer.tenant);
    return this.issuers.findTenant(issuer.id, slug).then((tenant) => toPrincipal(token, tenant), databaseFault);
  }
}

function toPrincipal({ subject, groups, scopes }: VerifiedToken, tenant: Tenant | null): Principal | null {
  return tenant && { tenantId: tenant.id, isSuspended: tenant.state === 'suspended', subject, groups, scopes };
}

/** RFC 6750 §2.1: the scheme, a space and the token; with anything more it is another header than the one that was meant. */
const bearerToken = ({ headers }: Request): string | null =>
  /^bearer +([\w.~+/-]+=*)$/i.exec(headers.authorization ?? '')?.[1] ?? null;

function toVerified({ token, issuer, keys }: Verification, claims: Claims): VerifiedToken | null {
  const subject = readClaim(claims, issuer.subjectClaim);
  const groups = readClaim(claims, issuer.groupsClaim) ?? [];
  const scopes = readScopes(readClaim(claims, issuer.scopeClaim), issuer.scopePrefix);
  const slug = issuer.tenantClaim === null ? null : readClaim(claims, issuer.tenantClaim);
  if (!isName(subject) || RESERVED_SUBJECTS.has(subject)) return null;
  if (!Array.isArray(groups) || !groups.every(isName) || !scopes) return null;
  if (!issuer.platform) scopes.delete('admin:platform');
  return {
    issuer: token.issuer,
    audiences: token.audiences,
    issuerVersion: issuer.version,
    keys,
    expiresAt: claims['exp'] as number,
    notBefore: (claims['nbf'] as number | undefined) ?? 0,
    subject,
    groups: [...new Set(groups)],
    scopes,
    slug: isName(slug) ? slug : null,
  };
}

function databaseFault(cause: unknown): never {
  throw hotPathProblem(cause);
}
