import { createPublicKey, type JsonWebKey } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { JsonWebKeySet } from '@countersign/identity';
import { initPlatform } from '../../../apps/api/src/platform-init/init-platform.js';
import { freshDatabase, type FreshDatabase } from '../../support/fresh-database.js';
import { install, type Installation, storeBucket, type Tenant } from '../../support/installation.js';
import { itemsOf } from '../batches.js';
import { callsBy } from '../calls.js';

/** Invariant 1, for many at once; on a database of this spec's own. */
describe('A batch answers 503', () => {
  let database: FreshDatabase;
  let installation: Installation;
  let tenant: Tenant;

  beforeAll(async () => {
    database = await freshDatabase();
    await makePlatform(database.ownerUrl);
    installation = await install(database.env);
    tenant = await installation.createTenant();
    await tenant.grant({ subject: { type: 'everyone' }, prefix: '' });
  });
  afterAll(async () => {
    await installation.close();
    await database.drop();
  });

  const calls = () => callsBy(installation.api, tenant.token('alice'));
  const items = [
    { bucket: 'files', key: 'a' },
    { bucket: 'nowhere', key: 'a' },
    { bucket: 'files', key: 'b', expiresInSeconds: 1 },
  ];
  const upload = { bucket: 'files', key: 'a', contentType: 'text/plain', contentLength: 1 };
  const rows = async () => (await database.query('SELECT id FROM ledger')).length;

  it.each(['append_to_ledger', 'find_holdings'])(
    'for the whole, with no URL in it and no row left behind, where %s fails',
    async (name) => {
      const before = await rows();
      await database.query(`REVOKE EXECUTE ON FUNCTION ${name}(jsonb) FROM countersign_issuer`);
      for (const [path, body] of [
        ['/download-urls', { items }],
        ['/upload-urls', { items: [upload, upload] }],
      ] as const) {
        const response = await calls().post(path, body).expect(503);
        expect(response.body).toMatchObject({ code: 'ledger-unavailable', requestId: expect.any(String) });
        expect(response.headers['retry-after']).toMatch(/^[1-9]/);
        expect(response.text).not.toMatch(/X-Amz|https?:|Signature/);
      }
      expect(await rows()).toBe(before);

      await database.query(`GRANT EXECUTE ON FUNCTION ${name}(jsonb) TO countersign_issuer`);
      const answered = itemsOf(await calls().post('/download-urls', { items }).expect(200));
      expect(answered.map(({ status }) => status)).toEqual([201, 404, 422]);
      expect(await rows()).toBe(before + 3);
    },
  );

  it('for the items of a bucket whose key cannot sign, and serves the others', async () => {
    const admin = callsBy(installation.api, tenant.admin);
    const other = { ...storeBucket(), name: 'other' };
    await admin.post('/buckets', other).expect(201);
    await tenant.grant({ subject: { type: 'everyone' }, bucket: 'other', prefix: '' });
    await database.query(
      `UPDATE signing_keys SET expires_at = now() WHERE bucket_id = (SELECT id FROM buckets WHERE name = 'other')`,
    );
    const before = await rows();
    const wanted = ['files', 'other', 'files'].map((bucket) => ({ bucket, key: 'a' }));
    const answered = itemsOf(await calls().post('/download-urls', { items: wanted }).expect(200));
    expect(answered.map(({ status, body }) => [status, body.code])).toEqual([
      [201, undefined],
      [503, 'signing-key-unavailable'],
      [201, undefined],
    ]);
    expect(await rows()).toBe(before + 2);
  });
});

async function makePlatform(ownerUrl: string): Promise<void> {
  const key = JSON.parse(process.env['TEST_PLATFORM_KEY'] ?? '') as JsonWebKey;
  const jwk = createPublicKey({ key, format: 'jwk' }).export({ format: 'jwk' });
  const jwks = { keys: [{ ...jwk, kid: 'platform', alg: 'ES256', use: 'sig' }] } as JsonWebKeySet;
  await initPlatform(ownerUrl, {
    tenant: { slug: 'platform', name: 'Platform' },
    issuer: { tenant: 'platform', issuer: 'https://platform.test', audience: 'countersign', jwks, platform: true },
    isForced: false,
  });
}
