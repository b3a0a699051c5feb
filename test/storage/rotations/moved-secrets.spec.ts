import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { asOwner } from '../../api/calls.js';
import { storageAdmin } from '../../support/storage-keys.js';
import type { StorageTest } from '../storage-fixture.js';
import { accessKeysAtStore, type RotatedBucket, startRotated } from './rotated-bucket.js';

let storage: StorageTest;
let bucket: RotatedBucket;
beforeEach(async () => {
  ({ storage, bucket } = await startRotated());
});
afterEach(() => storage.stop());

/** Moves the neighbour's sealed administrative secret, behind the API's back, as whoever can write to the database may. */
const moveTo = (table: 'key_issuers' | 'signing_keys', neighbour: string) =>
  asOwner(
    `UPDATE ${table} mine SET sealed_credential = theirs.sealed_credential
       FROM key_issuers theirs, tenants me, tenants them
      WHERE me.slug = $1 AND mine.tenant_id = me.id AND them.slug = $2 AND theirs.tenant_id = them.id`,
    [storage.tenant.slug, neighbour],
  );

it('a sealed secret that was moved to another row opens nothing: it makes no key and signs no URL', async () => {
  // Attack: have one's own bucket use the neighbour's administrative credential.
  const keyIssuer = { type: 'ceph-rgw', ...storageAdmin() };
  const neighbour = await storage.installation.createTenant();
  const { api } = storage.installation;
  await api.patch('/buckets/files').auth(neighbour.admin, { type: 'bearer' }).send({ keyIssuer }).expect(200);
  await bucket.admin
    .patch('/buckets/files', { keyIssuer: { ...keyIssuer, secretAccessKey: 'a-secret-of-no-use' } })
    .expect(200);
  await moveTo('key_issuers', neighbour.slug);

  const id = await bucket.begin('graceful');
  const tried = await bucket.until(id, ({ steps }) => steps.at(-1)?.detail !== null);
  expect(tried.steps).toEqual([
    expect.objectContaining({ name: 'create-key', detail: expect.stringContaining('of ours') }),
  ]);
  expect((await bucket.keys()).map(({ accessKeyId }) => accessKeyId)).toEqual([bucket.firstKey.accessKeyId]);
  await bucket.ask().expect(201);

  await moveTo('signing_keys', neighbour.slug);
  expect((await bucket.ask().expect(503)).body).toMatchObject({ code: 'signing-key-unavailable' });
  expect(await accessKeysAtStore()).toContain(bucket.firstKey.accessKeyId);
});
