import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { install, type Installation, type Tenant } from '../../support/installation.js';
import { itemsOf } from '../batches.js';
import { callsBy } from '../calls.js';

describe('A batch of a suspended tenant', () => {
  let installation: Installation;
  let tenant: Tenant;

  beforeAll(async () => {
    installation = await install();
    tenant = await installation.createTenant();
    await tenant.grant({ subject: { type: 'everyone' }, prefix: '' });
    const state = { state: 'suspended' };
    await installation.api
      .patch(`/tenants/${tenant.slug}`)
      .auth(installation.operator, { type: 'bearer' })
      .send(state)
      .expect(200);
  });
  afterAll(() => installation.close());

  it('is refused item by item, each on record, and a malformed one as ever', async () => {
    const calls = callsBy(installation.api, tenant.token('alice'));
    const download = { bucket: 'files', key: 'a' };
    const upload = { ...download, contentType: 'text/plain', contentLength: 1 };
    const codes = async (path: string, items: object[]) =>
      itemsOf(await calls.post(path, { items }).expect(200)).map(({ status, body }) => [status, body.code]);
    const suspended = [403, 'tenant-suspended'];
    expect(await codes('/download-urls', [download, { key: '' }, download])).toEqual([
      suspended,
      [400, 'invalid-request'],
      suspended,
    ]);
    expect(await codes('/upload-urls', [upload, upload])).toEqual([suspended, suspended]);

    await installation.api
      .patch(`/tenants/${tenant.slug}`)
      .auth(installation.operator, { type: 'bearer' })
      .send({ state: 'active' })
      .expect(200);
    const rows = (await tenant.events({ decision: 'refused' })).map(({ action, reason }) => [action, reason]);
    expect(rows).toEqual([
      ['upload-url', 'tenant-suspended'],
      ['upload-url', 'tenant-suspended'],
      ['download-url', 'tenant-suspended'],
      ['download-url', 'tenant-suspended'],
    ]);
  });
});
