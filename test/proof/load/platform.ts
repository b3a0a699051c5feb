import { createPublicKey, type JsonWebKey } from 'node:crypto';
import type { JsonWebKeySet } from '@countersign/identity';
import { initPlatform } from '../../../apps/api/src/platform-init/init-platform.js';
import { freshDatabase, type FreshDatabase } from '../../support/fresh-database.js';

/** A database on this server, with the platform issuer that the run's operator has tokens of. */
export async function platformDatabase(maintenanceUrl: string): Promise<FreshDatabase> {
  const database = await freshDatabase(maintenanceUrl);
  const key = JSON.parse(process.env['TEST_PLATFORM_KEY'] ?? '') as JsonWebKey;
  const jwk = createPublicKey({ key, format: 'jwk' }).export({ format: 'jwk' });
  const jwks = { keys: [{ ...jwk, kid: 'platform', alg: 'ES256', use: 'sig' }] } as JsonWebKeySet;
  await initPlatform(database.ownerUrl, {
    tenant: { slug: 'platform', name: 'Platform' },
    issuer: { tenant: 'platform', issuer: 'https://platform.test', audience: 'countersign', jwks, platform: true },
    isForced: false,
  });
  return database;
}

/** What a built API on it is told. */
export function environmentOf({ env }: Pick<FreshDatabase, 'env'>): NodeJS.ProcessEnv {
  const { ENCRYPTION_KEYS } = process.env;
  // What is attacked is behind the rate limits.
  const unlimited = { RATE_LIMIT_PER_SUBJECT: '0', RATE_LIMIT_PER_TENANT: '0' };
  return { ...env, ...unlimited, ENCRYPTION_KEYS, NODE_ENV: 'test', LOG_LEVEL: 'error', RECONCILE_UPLOADS: 'false' };
}
