import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { install, type Installation, storeBucket, type Tenant } from '../../support/installation.js';
import { callsBy } from '../calls.js';

describe('DELETE /buckets/{name} of a bucket with uploads', () => {
  let installation: Installation;
  let tenant: Tenant;
  beforeAll(async () => {
    installation = await install();
    tenant = await installation.createTenant();
  });
  afterAll(() => installation.close());

  /** A bucket in which alice has begun an upload, and has no grant any more. */
  async function begin(name: string, upload: object) {
    const admin = callsBy(installation.api, tenant.admin);
    const alice = callsBy(installation.api, tenant.token('alice'));
    await admin.post('/buckets', { ...storeBucket(), name }).expect(201);
    const grant = await tenant.grant({ subject: { type: 'user', id: 'alice' }, bucket: name, prefix: '' });
    const wish = { bucket: name, key: 'a', contentType: 'text/plain', contentLength: 5_242_880, ...upload };
    const { body } = await alice.post('/upload-url', wish).expect(201);
    await admin.delete(`/grants/${grant}`).expect(204);
    return { remove: () => admin.delete(`/buckets/${name}`), alice, id: String(body.uploadId) };
  }

  it('answers 204, and nobody finds its uploads any more', async () => {
    const kept = await begin('stays', {});
    const gone = await begin('goes', {});
    await gone.remove().expect(204);
    await gone.alice.get(`/uploads/${gone.id}`).expect(404);
    await gone.alice.post(`/uploads/${gone.id}/completion`, {}).expect(404);
    await kept.alice.get(`/uploads/${kept.id}`).expect(200);
  });

  it('answers 409 while an upload in parts is under way, lest its parts stay at the store for good', async () => {
    const { id, remove, alice } = await begin('parts', { mode: 'multipart' });
    expect((await remove().expect(409)).body.code).toBe('in-use');
    await alice.delete(`/uploads/${id}`).expect(204);
    await remove().expect(204);
  });
});
