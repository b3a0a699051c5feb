import type { KeyObject } from 'node:crypto';
import { selectKey, toKeyObject, type JsonWebKeySet } from './jwks.js';

/** Parsing a JWK costs as much as verifying with it: what was parsed is kept, by its whole text, the least recent given up first. */
export class VerificationKeys {
  readonly #parsed = new Map<string, KeyObject>();

  constructor(private readonly capacity = 1_000) {}

  /** The key that can have signed a token with this header, or null. */
  select(jwks: JsonWebKeySet, header: { alg: string; kid?: string }): KeyObject | null {
    const jwk = selectKey(jwks, header);
    if (!jwk) return null;
    const text = JSON.stringify(jwk);
    const key = this.#parsed.get(text) ?? toKeyObject(jwk);
    this.#parsed.delete(text);
    this.#parsed.set(text, key);
    const oldest = this.#parsed.keys().next();
    if (this.#parsed.size > this.capacity && !oldest.done) this.#parsed.delete(oldest.value);
    return key;
  }
}
