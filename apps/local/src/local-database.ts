import type { RuntimeUrls } from '@countersign/database';
import pg from 'pg';

/** Makes the database where it is missing. */
export async function ensureDatabase(maintenanceUrl: string, name: string): Promise<void> {
  const client = new pg.Client({ connectionString: maintenanceUrl });
  await client.connect();
  try {
    const { rowCount } = await client.query('SELECT FROM pg_database WHERE datname = $1', [name]);
    if (!rowCount) await client.query(`CREATE DATABASE ${pg.escapeIdentifier(name)}`);
  } finally {
    await client.end();
  }
}

/** The same database by logins of its own: roles belong to the cluster, where another installation may have its own too. */
export function runtimeUrls(
  ownerUrl: string,
  passwords: { api: string; issuer: string; operator: string },
): RuntimeUrls {
  const urlOf = (role: keyof RuntimeUrls): string => {
    const url = new URL(ownerUrl);
    const database = decodeURIComponent(url.pathname.slice(1)) || 'postgres';
    url.username = encodeURIComponent(`${database}_${role}_login`);
    url.password = encodeURIComponent(passwords[role]);
    return url.href;
  };
  return { api: urlOf('api'), issuer: urlOf('issuer'), operator: urlOf('operator') };
}
