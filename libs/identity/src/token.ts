import { isName } from './claims.js';

/** What an unverified token says of itself: enough to find the issuer that may have signed it, and nothing to be believed. */
export interface UnverifiedToken {
  header: { alg: string; kid?: string };
  issuer: string;
  audiences: string[];
}

/** Headers that bring a key along, or say where to fetch one: the token would vouch for itself (RFC 8725 §3.10). */
const KEY_BRINGING = ['jwk', 'jku', 'x5u', 'x5c'];

/** RFC 9068 §2.1 for access tokens, RFC 7519 §5.1; another `typ` is a token for another purpose (RFC 8725 §3.11). */
const TYPES = ['jwt', 'application/jwt', 'at+jwt', 'application/at+jwt'];

/**
 * Reads a compact JWS (RFC 7515 §7.1) without verifying it. Null unless its parts are canonical base64url, its header names one
 * algorithm and brings no key, no `crit` asks for what we do not know (RFC 7515 §4.1.11), and `iss`, `aud` and `exp` are there.
 */
export function readToken(raw: string): UnverifiedToken | null {
  const parts = raw.split('.');
  if (parts.length !== 3 || !parts.every(isCanonical)) return null;
  const header = readJson(parts[0]);
  const claims = readJson(parts[1]);
  if (!header || !claims || KEY_BRINGING.some((name) => Object.hasOwn(header, name)) || Object.hasOwn(header, 'crit'))
    return null;

  const { alg, kid, typ } = header;
  if (typeof alg !== 'string' || (kid !== undefined && typeof kid !== 'string')) return null;
  if (typ !== undefined && !(typeof typ === 'string' && TYPES.includes(typ.toLowerCase()))) return null;

  const { iss, exp } = claims;
  const aud = audienceOf(claims);
  const audiences: unknown[] = Array.isArray(aud) ? aud : [aud];
  if (!isName(iss) || !audiences.every(isName) || audiences.length === 0) return null;
  if (typeof exp !== 'number' || !Number.isFinite(exp)) return null;
  return { header: kid === undefined ? { alg } : { alg, kid }, issuer: iss, audiences };
}

/** Amazon Cognito's access tokens have no `aud`: their `client_id` says for whom they are ("Understanding the access token"). */
function audienceOf({ aud, token_use: tokenUse, client_id: clientId }: Record<string, unknown>): unknown {
  return aud === undefined && tokenUse === 'access' ? clientId : aud;
}

/** Lenient decoders take many spellings of the same bytes; a token has one. */
function isCanonical(part: string): boolean {
  return part !== '' && Buffer.from(part, 'base64url').toString('base64url') === part;
}

function readJson(part: string | undefined): Record<string, unknown> | null {
  try {
    const text = Buffer.from(part ?? '', 'base64url').toString();
    const value: unknown = JSON.parse(text);
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isObject && !hasNamesTwice(text) ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

/** RFC 7519 §4: names are unique, or whoever reads the first one and whoever reads the last one know two different tokens. Of valid JSON. */
function hasNamesTwice(json: string): boolean {
  const names: Set<string>[] = [];
  for (const [token, name] of json.matchAll(/("(?:[^"\\]|\\.)*")\s*:|"(?:[^"\\]|\\.)*"|[{}]/g)) {
    if (token === '{') names.push(new Set());
    else if (token === '}') names.pop();
    else if (name !== undefined) {
      const known = names.at(-1);
      const written = JSON.parse(name) as string;
      if (known?.has(written)) return true;
      known?.add(written);
    }
  }
  return false;
}
