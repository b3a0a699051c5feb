import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { install, type Installation, type Tenant } from '../../support/installation.js';

describe('a suspended tenant', () => {
  let installation: Installation;
  let tenant: Tenant;
  const as = (token: string) => ({
    get: (path: string) => installation.api.get(path).auth(token, { type: 'bearer' }),
    post: (path: string, body: object) => installation.api.post(path).auth(token, { type: 'bearer' }).send(body),
    patch: (path: string, body: object) => installation.api.patch(path).auth(token, { type: 'bearer' }).send(body),
  });
  const wanted = { bucket: 'files', key: 'users/alice/a' };
  const setState = (state: string) => as(installation.operator).patch(`/tenants/${tenant.slug}`, { state }).expect(200);

  beforeAll(async () => {
    installation = await install();
    tenant = await installation.createTenant();
    await tenant.grant({ subject: { type: 'everyone' }, prefix: 'users/{sub}/' });
  });
  afterAll(() => installation.close());

  it('is refused its very next request, on record where it asked for a URL, and served again once it is active', async () => {
    const alice = tenant.token('alice');
    await as(alice).post('/download-url', wanted).expect(201);
    await setState('suspended');
    expect((await as(alice).post('/download-url', wanted).expect(403)).body.code).toBe('tenant-suspended');
    const upload = { ...wanted, contentType: 'text/plain', contentLength: 1 };
    expect((await as(alice).post('/upload-url', upload).expect(403)).body.code).toBe('tenant-suspended');
    expect((await as(tenant.admin).get('/grants').expect(403)).body.code).toBe('tenant-suspended');
    expect(
      (
        await as(alice)
          .post('/permission-checks', { items: [{ ...wanted, action: 'read' }] })
          .expect(403)
      ).body.code,
    ).toBe('tenant-suspended');
    await setState('active');
    await as(alice).post('/download-url', wanted).expect(201);

    const refusals = (await tenant.events({ decision: 'refused' })).map(({ action, reason }) => ({ action, reason }));
    expect(refusals).toEqual([
      { action: 'upload-url', reason: 'tenant-suspended' },
      { action: 'download-url', reason: 'tenant-suspended' },
    ]);
    const changes = (await tenant.events()).map(({ action }) => action);
    expect(changes).toEqual(expect.arrayContaining(['tenant.suspended', 'tenant.reactivated']));
  });

  it('leaves its neighbours alone', async () => {
    const neighbour = await installation.createTenant();
    await neighbour.grant({ subject: { type: 'everyone' }, prefix: 'users/{sub}/' });
    await setState('suspended');
    await as(neighbour.token('alice')).post('/download-url', wanted).expect(201);
    await setState('active');
  });
});
