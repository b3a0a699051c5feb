import { createPrivateKey, type JsonWebKey } from 'node:crypto';
import jwt from 'jsonwebtoken';

/** A good token of the run's platform issuer, with these scopes. */
export function platformToken(subject: string, scope: string): string {
  const jwk = JSON.parse(process.env['TEST_PLATFORM_KEY'] ?? '') as JsonWebKey;
  const registered = { issuer: 'https://platform.test', audience: 'countersign' };
  return jwt.sign({ scope }, createPrivateKey({ key: jwk, format: 'jwk' }), {
    ...registered,
    algorithm: 'ES256',
    keyid: 'platform',
    subject,
    expiresIn: '1h',
  });
}
