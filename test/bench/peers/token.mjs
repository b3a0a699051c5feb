// RS256 (RFC 7518 §3.3) with node:crypto and a KeyObject, and nothing that a token's own header could choose.
import crypto from 'node:crypto';

const MAX_REMEMBERED = 10_000;

/**
 * Gives the claims of a good token, or null. A signature is verified once and remembered with the whole token, as ours does: otherwise a
 * quarter of what "bare" costs would be RSA, and the comparison would be of that.
 */
export function tokenReader(publicKeyPem) {
  const key = crypto.createPublicKey(publicKeyPem);
  const remembered = new Map();
  return (authorization) => {
    if (!authorization?.startsWith('Bearer ')) return null;
    let claims = remembered.get(authorization);
    if (claims === undefined) {
      claims = verify(key, authorization);
      if (claims === null) return null;
      if (remembered.size >= MAX_REMEMBERED) remembered.clear();
      remembered.set(authorization, claims);
    }
    return claims.exp * 1000 > Date.now() ? claims : null;
  };
}

function verify(key, authorization) {
  const first = authorization.indexOf('.');
  const second = authorization.lastIndexOf('.');
  const signed = Buffer.from(authorization.slice(7, second), 'latin1');
  const signature = Buffer.from(authorization.slice(second + 1), 'base64url');
  if (!crypto.verify('RSA-SHA256', signed, key, signature)) return null;
  return JSON.parse(Buffer.from(authorization.slice(first + 1, second), 'base64url').toString());
}
