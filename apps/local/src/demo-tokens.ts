import { createPrivateKey, type JsonWebKey } from 'node:crypto';
import type { JsonWebKeySet } from '@countersign/identity';
import jwt from 'jsonwebtoken';
import { AUDIENCE, PLATFORM_AUDIENCE } from '../../../prisma/seed.js';

/** RFC 2606 §2: a name that never resolves. The tokens are checked with the key in the issuer's row, and nothing is fetched. */
export const DEMO_ISSUER = 'https://demo.countersign.invalid';

const KEY_ID = 'demo';
const LIFE_HOURS = 12;

const OBJECTS = 'read:objects write:objects';

/** Whom the demo knows, and what their tokens say. */
const PEOPLE = {
  alice: { scope: OBJECTS, audience: AUDIENCE },
  bob: { scope: OBJECTS, audience: AUDIENCE },
  admin: { scope: `${OBJECTS} admin:tenant`, audience: AUDIENCE },
  auditor: { scope: 'read:audit', audience: AUDIENCE },
  operator: { scope: 'admin:platform', audience: PLATFORM_AUDIENCE },
};

export type Tokens = Record<keyof typeof PEOPLE, string>;

/** Tokens that are good for some hours, made anew at each start. */
export function demoTokens(issuerKey: JsonWebKey): Tokens {
  const key = createPrivateKey({ key: issuerKey, format: 'jwk' });
  const signed = Object.entries(PEOPLE).map(([subject, { scope, audience }]) => {
    const options = {
      algorithm: 'ES256',
      keyid: KEY_ID,
      issuer: DEMO_ISSUER,
      subject,
      audience,
      expiresIn: `${LIFE_HOURS}h`,
    } as const;
    return [subject, jwt.sign({ scope }, key, options)];
  });
  return Object.fromEntries(signed) as Tokens;
}

export function demoJwks({ kty, crv, x, y }: JsonWebKey): JsonWebKeySet {
  return { keys: [{ kty, crv, x, y, kid: KEY_ID, alg: 'ES256', use: 'sig' }] };
}
