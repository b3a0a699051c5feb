import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto';
import { isStorable } from './storable.js';

/** RFC 7517 §5. */
export interface JsonWebKeySet {
  keys: (JsonWebKey & { kid?: string; alg?: string; use?: string; key_ops?: string[] })[];
}

type Jwk = JsonWebKeySet['keys'][number];

/** RFC 7518 §3.1, the asymmetric ones: who can check an HS256 token can also make one, so a shared secret identifies nobody. */
const KEYS_OF_ALGORITHM: Readonly<Record<string, { kty: string; crv?: string }>> = {
  RS256: { kty: 'RSA' },
  RS384: { kty: 'RSA' },
  RS512: { kty: 'RSA' },
  PS256: { kty: 'RSA' },
  PS384: { kty: 'RSA' },
  PS512: { kty: 'RSA' },
  ES256: { kty: 'EC', crv: 'P-256' },
  ES384: { kty: 'EC', crv: 'P-384' },
  ES512: { kty: 'EC', crv: 'P-521' },
};

export const SUPPORTED_ALGORITHMS = Object.keys(KEYS_OF_ALGORITHM);

/** The private members of a JWK (RFC 7518 §6.2.2, §6.3.2, §6.4.1). */
const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'];

/** What is wrong with a JWKS, or null: 1 to 50 public RSA (2,048 bits or more) or EC keys, whose `kid`s are distinct. */
export function jwksFault(jwks: unknown): string | null {
  const keys: unknown = (jwks as { keys?: unknown } | null)?.keys;
  if (!Array.isArray(keys) || keys.length === 0 || keys.length > 50) return 'must have 1 to 50 "keys"';
  for (const [index, jwk] of (keys as unknown[]).entries()) {
    const fault = jwkFault(jwk);
    if (fault) return `keys[${index}] ${fault}`;
  }
  if (!isStorableValue(jwks)) return 'must not have NUL or a lone surrogate anywhere';
  const kids = (keys as Jwk[]).map((jwk) => jwk.kid).filter((kid) => kid !== undefined);
  return new Set(kids).size === kids.length ? null : 'must not have two keys with the same "kid"';
}

/** Whether a fetched key can check tokens. A provider's set may hold others as well, for encryption or of kinds that we do not know. */
export function isUsableJwk(jwk: unknown): jwk is Jwk {
  return jwkFault(jwk) === null;
}

/** The algorithms that a JWKS is for, where its issuer does not say: those its keys name, or the usual one of their kind. */
export function algorithmsOf({ keys }: JsonWebKeySet): string[] {
  const usual = (jwk: Jwk): string | undefined =>
    jwk.kty === 'RSA'
      ? 'RS256'
      : SUPPORTED_ALGORITHMS.find((algorithm) => KEYS_OF_ALGORITHM[algorithm]?.crv === jwk.crv);
  const named = keys.map((jwk) => jwk.alg ?? usual(jwk)).filter((algorithm) => algorithm !== undefined);
  return [...new Set(named)].filter((algorithm) => SUPPORTED_ALGORITHMS.includes(algorithm));
}

/**
 * The one key of a JWKS that a token with this header can have been signed by, or null. `kid` picks it, or its being the only one that
 * fits; `kty`, `crv`, `alg`, `use` and `key_ops` must all agree, so that a key is never used for what it was not made for.
 */
export function selectKey(jwks: JsonWebKeySet, header: { alg: string; kid?: string }): Jwk | null {
  const kind = Object.hasOwn(KEYS_OF_ALGORITHM, header.alg) ? KEYS_OF_ALGORITHM[header.alg] : undefined;
  if (!kind) return null;
  const fitting = jwks.keys.filter(
    (jwk) =>
      jwk.kty === kind.kty &&
      (kind.crv === undefined || jwk.crv === kind.crv) &&
      (jwk.alg === undefined || jwk.alg === header.alg) &&
      (jwk.use === undefined || jwk.use === 'sig') &&
      (jwk.key_ops === undefined || jwk.key_ops.includes('verify')) &&
      (header.kid === undefined || jwk.kid === header.kid),
  );
  return fitting.length === 1 ? (fitting[0] ?? null) : null;
}

function isStorableValue(value: unknown): boolean {
  if (typeof value === 'string') return isStorable(value);
  if (typeof value !== 'object' || value === null) return true;
  return Object.entries(value).every(([name, member]) => isStorable(name) && isStorableValue(member));
}

/** @throws where the JWK is none. */
export function toKeyObject(jwk: Jwk): KeyObject {
  return createPublicKey({ key: jwk, format: 'jwk' });
}

function jwkFault(jwk: unknown): string | null {
  if (typeof jwk !== 'object' || jwk === null) return 'must be an object';
  const candidate = jwk as Jwk;
  if (candidate.kty !== 'RSA' && candidate.kty !== 'EC')
    return 'must be a public RSA or EC key: a symmetric key identifies nobody';
  if (PRIVATE_MEMBERS.some((member) => Object.hasOwn(candidate, member)))
    return 'holds a private key: give the public part only';
  for (const member of ['kid', 'alg', 'use'] as const) {
    if (candidate[member] !== undefined && typeof candidate[member] !== 'string') return `"${member}" must be a string`;
  }
  if (candidate.key_ops !== undefined && !Array.isArray(candidate.key_ops)) return '"key_ops" must be an array';
  try {
    const { asymmetricKeyType, asymmetricKeyDetails } = toKeyObject(candidate);
    const isShort = asymmetricKeyType === 'rsa' && (asymmetricKeyDetails?.modulusLength ?? 0) < 2048;
    return isShort ? 'is shorter than 2048 bits' : null;
  } catch {
    return 'is not a valid key';
  }
}
