import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { install, type Installation, type Tenant } from '../../support/installation.js';
import { asOwner } from '../calls.js';

describe('what is replaced can be held against what was read', () => {
  let installation: Installation;
  let tenant: Tenant;
  let resources: { path: string; token: string; method: 'put' | 'patch'; changes: [object, object] }[];
  const useCase = { action: 'read', minExpirySeconds: 60, defaultExpirySeconds: 60, maxExpirySeconds: 120 };

  beforeAll(async () => {
    installation = await install();
    tenant = await installation.createTenant();
    const { operator, api } = installation;
    await api.put('/use-cases/own').auth(tenant.admin, { type: 'bearer' }).send(useCase).expect(201);
    const [issuer] = await asOwner<{ id: string }>('SELECT id FROM issuers WHERE issuer = $1', [tenant.issuer]);
    const replaced = (maxExpirySeconds: number) => ({ ...useCase, maxExpirySeconds });
    resources = [
      { path: '/use-cases/own', token: tenant.admin, method: 'put', changes: [replaced(240), replaced(300)] },
      { path: '/buckets/files', token: tenant.admin, method: 'patch', changes: [{ acl: 'none' }, { acl: 'private' }] },
      { path: `/tenants/${tenant.slug}`, token: operator, method: 'patch', changes: [{ name: 'A' }, { name: 'B' }] },
      {
        path: `/issuers/${issuer?.id}`,
        token: operator,
        method: 'patch',
        changes: [{ groupsClaim: 'a' }, { groupsClaim: 'b' }],
      },
    ];
  });
  afterAll(() => installation.close());

  it('with the ETag of a GET, of each kind of resource; a stale one changes nothing and is a 412', async () => {
    for (const {
      path,
      token,
      method,
      changes: [change],
    } of resources) {
      const send = (ifMatch: string) =>
        installation.api[method](path).auth(token, { type: 'bearer' }).set('If-Match', ifMatch).send(change);
      const read = () => installation.api.get(path).auth(token, { type: 'bearer' }).expect(200);
      const before = await read();
      const etag = before.headers['etag'] ?? '';
      expect(etag).toMatch(/^"[\w-]{22}"$/);

      expect((await send('"made-up"').expect(412)).body.code).toBe('precondition-failed');
      expect((await read()).body).toEqual(before.body);

      const changed = await send(etag).expect(200);
      expect(changed.headers['etag']).not.toBe(etag);
      expect(changed.headers['etag']).toBe((await read()).headers['etag']);
      expect(changed.body).toMatchObject(change);
      await send(etag).expect(412);
      await send('*').expect(200);
    }
  });

  it('so that of two administrators at once one changes it and the other is told', async () => {
    for (const {
      path,
      token,
      method,
      changes: [, change],
    } of resources) {
      const { headers } = await installation.api.get(path).auth(token, { type: 'bearer' }).expect(200);
      const send = () =>
        installation.api[method](path)
          .auth(token, { type: 'bearer' })
          .set('If-Match', headers['etag'] ?? '')
          .send(change);
      const statuses = (await Promise.all([send(), send()])).map(({ status }) => status);
      expect(new Set(statuses)).toEqual(new Set([200, 412]));
    }
  });

  it('before it is deleted, too', async () => {
    const remove = (path: string, ifMatch: string) =>
      installation.api.delete(path).auth(tenant.admin, { type: 'bearer' }).set('If-Match', ifMatch);
    await remove('/use-cases/own', '"made-up"').expect(412);
    await remove('/buckets/files', '"made-up"').expect(412);
    const { headers } = await installation.api.get('/use-cases/own').auth(tenant.admin, { type: 'bearer' }).expect(200);
    await remove('/use-cases/own', headers['etag'] ?? '').expect(204);
    await installation.api.get('/use-cases/own').auth(tenant.admin, { type: 'bearer' }).expect(404);
  });

  it('and a bucket is forgotten only when nobody has a grant in it', async () => {
    const id = await tenant.grant({ subject: { type: 'user', id: 'alice' }, key: 'a' });
    const remove = () => installation.api.delete('/buckets/files').auth(tenant.admin, { type: 'bearer' });
    expect((await remove().expect(409)).body.code).toBe('in-use');
    await installation.api.delete(`/grants/${id}`).auth(tenant.admin, { type: 'bearer' }).expect(204);
    await remove().expect(204);
    await installation.api.get('/buckets/files').auth(tenant.admin, { type: 'bearer' }).expect(404);
    expect((await tenant.events()).map(({ action }) => action)).toContain('bucket.deleted');
  });
});
