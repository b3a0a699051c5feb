import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { callsBy } from '../api/calls.js';
import { install, type Installation, type Tenant } from '../support/installation.js';
import { makeBucket, type StoreBucket } from './store-bucket.js';

interface Checked {
  isSound: boolean;
  checks: { name: string; result: string; detail: string; remedy: string | null }[];
}

const PAGE = 'http://localhost:3000';

let installation: Installation;
beforeAll(async () => {
  installation = await install({ CORS_ORIGINS: PAGE });
});
afterAll(() => installation.close());

async function check({ admin }: Tenant): Promise<Checked> {
  const { body } = await callsBy(installation.api, admin).post('/buckets/files/check', {}).expect(200);
  return body as Checked;
}

const resultsOf = ({ checks }: Checked) => Object.fromEntries(checks.map(({ name, result }) => [name, result]));

/** What a check says of one property. */
function found({ checks }: Checked, name: string) {
  const property = checks.find((each) => each.name === name);
  return property ?? { result: 'missing', detail: '', remedy: null };
}

if (process.env['STORAGE_KIND'] === 'embedded') {
  it('the development store passes whatever can be tried there', async () => {
    const checked = await check(await installation.createTenant());
    const { 'post-policies': forms, ...results } = resultsOf(checked);
    expect(new Set(Object.values(results))).toEqual(new Set(['passed']));
    expect([forms, checked.isSound]).toEqual(['skipped', true]);
  });
}

if (process.env['STORAGE_KIND'] === 'ceph-rgw') {
  describe('on Ceph', () => {
    let bucket: StoreBucket;
    let tenant: Tenant;

    beforeEach(async () => {
      bucket = await makeBucket();
      tenant = await installation.createTenant({ bucket: bucket.name });
    });

    it('names a bucket without the policy, and what its holders can do, and leaves nothing behind', async () => {
      const checked = await check(tenant);
      expect(resultsOf(checked)).toEqual({
        reachable: 'passed',
        credentials: 'passed',
        clock: 'passed',
        cors: 'failed',
        'overwrite-protection': 'passed',
        'copy-source': 'failed',
        'public-acl': 'failed',
        'post-policies': 'passed',
        checksums: 'failed',
        removal: 'passed',
      });
      expect(checked.isSound).toBe(false);
      expect(found(checked, 'copy-source')).toMatchObject({
        detail: expect.stringContaining('By an upload URL: copied. By the URL of a part: 400 RequestTimeout.'),
        remedy: expect.stringContaining('GET /buckets/files/storage-policy'),
      });
      expect(found(checked, 'checksums').remedy).toContain('verified by reading');
      await expect(bucket.keys()).resolves.toEqual([]);
    });

    it('finds no fault with the policy that it recommends', async () => {
      const { body } = await callsBy(installation.api, tenant.admin).get('/buckets/files/storage-policy').expect(200);
      await bucket.putPolicy(body.bucketPolicy);
      const checked = await check(tenant);
      expect(resultsOf(checked)).toMatchObject({
        credentials: 'passed',
        'copy-source': 'passed',
        'public-acl': 'passed',
      });
      expect(found(checked, 'copy-source').detail).toContain('By an upload URL: 403 AccessDenied.');
    });

    it('sees whether pages may upload, and read ETag', async () => {
      await bucket.allowPages(PAGE, ['x-amz-request-id']);
      expect(found(await check(tenant), 'cors')).toMatchObject({
        result: 'failed',
        detail: `${PAGE}: ETag is not exposed.`,
      });
      await bucket.allowPages(PAGE, ['ETag'], ['GET', 'HEAD', 'PUT']);
      expect(found(await check(tenant), 'cors')).toMatchObject({
        result: 'failed',
        detail: expect.stringContaining('the preflight of an upload form'),
        remedy: expect.stringContaining('POST'),
      });
      await bucket.allowPages(PAGE);
      expect(found(await check(tenant), 'cors').result).toBe('passed');
      await bucket.allowPages('https://elsewhere.example.com');
      expect(found(await check(tenant), 'cors')).toMatchObject({
        result: 'failed',
        detail: expect.stringContaining(PAGE),
      });
    });

    it('says what is wrong with a credential, and tries no more', async () => {
      const [unknown, wrong] = [{ accessKeyId: 'UNKNOWNKEY' }, { secretAccessKey: 'not-the-secret-of-this-key' }];
      const env = process.env;
      const right = { accessKeyId: env['STORAGE_ACCESS_KEY_ID'], secretAccessKey: env['STORAGE_SECRET_ACCESS_KEY'] };
      const stranger = await installation.createTenant({ bucket: bucket.name, credentials: { ...right, ...unknown } });
      const forger = await installation.createTenant({ bucket: bucket.name, credentials: { ...right, ...wrong } });
      for (const [whose, code] of [
        [stranger, 'InvalidAccessKeyId'],
        [forger, 'SignatureDoesNotMatch'],
      ] as const) {
        const checked = await check(whose);
        expect(found(checked, 'credentials')).toMatchObject({
          result: 'failed',
          detail: expect.stringContaining(code),
        });
        expect(resultsOf(checked)).toMatchObject({ clock: 'passed', 'copy-source': 'skipped', checksums: 'skipped' });
      }
    });
  });
}
