import { LRUCache } from 'lru-cache';
import type { JsonWebKeySet } from './jwks.js';

/** RFC 7519 §4.1.4 and §4.1.5 allow a small leeway for clock skew. */
export const LEEWAY_SECONDS = 30;

/** Some ten thousand tokens of a usual length. */
const MAX_CHARACTERS = 10_000_000;

/** What a token was found to say, once its signature and its claims had been checked. */
export interface VerifiedToken {
  issuer: string;
  audiences: string[];
  /** Of the issuer's row, and of the keys, by which it was checked. */
  issuerVersion: string;
  keys: JsonWebKeySet;
  /** Seconds since the epoch. */
  expiresAt: number;
  notBefore: number;
  subject: string;
  groups: readonly string[];
  scopes: ReadonlySet<string>;
  /** Of the tenant, where a claim names it. */
  slug: string | null;
}

/**
 * Tokens whose signatures were checked: a signature that held holds, and checking it again costs more than all else that is done for a
 * request. Kept by the whole `Authorization` header, so that one other character is another token. Whether its issuer still stands, unchanged, and
 * its tenant, is asked anew for each request.
 */
export class VerifiedTokens {
  readonly #verified = new LRUCache<string, VerifiedToken>({
    maxSize: MAX_CHARACTERS,
    sizeCalculation: (_, authorization) => authorization.length + 500,
  });

  /** The token, if it was verified before and its time is now (as jsonwebtoken reckons it). */
  get(authorization: string): VerifiedToken | null {
    const token = this.#verified.get(authorization);
    if (!token) return null;
    const now = Math.floor(Date.now() / 1000);
    return now < token.expiresAt + LEEWAY_SECONDS && token.notBefore <= now + LEEWAY_SECONDS ? token : null;
  }

  keep(authorization: string, token: VerifiedToken): void {
    this.#verified.set(authorization, token);
  }

  forget(authorization: string): void {
    this.#verified.delete(authorization);
  }
}
