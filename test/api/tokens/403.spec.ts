import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { install, type Installation, type Tenant } from '../../support/installation.js';
import { bytesOf, callsBy } from '../calls.js';

const EVERY_SCOPE = ['read:objects', 'write:objects', 'read:audit', 'admin:tenant', 'admin:platform'];

/** design: which scope opens which route. */
const ROUTES: [method: 'get' | 'post' | 'put' | 'delete', path: string, scope: string][] = [
  ['post', '/download-url', 'read:objects'],
  ['post', '/upload-url', 'write:objects'],
  ['get', '/audit-events', 'read:audit'],
  ['get', '/grants', 'admin:tenant'],
  ['post', '/grants', 'admin:tenant'],
  ['delete', '/grants/00000000-0000-4000-8000-000000000000', 'admin:tenant'],
  ['get', '/use-cases', 'admin:tenant'],
  ['put', '/use-cases/thumbnails', 'admin:tenant'],
  ['delete', '/use-cases/thumbnails', 'admin:tenant'],
  ['get', '/buckets', 'admin:tenant'],
  ['post', '/buckets', 'admin:tenant'],
  ['get', '/buckets/files', 'admin:tenant'],
  ['get', '/buckets/files/storage-policy', 'admin:tenant'],
  ['post', '/buckets/files/check', 'admin:tenant'],
  ['get', '/tenants', 'admin:platform'],
  ['post', '/tenants', 'admin:platform'],
  ['get', '/issuers', 'admin:platform'],
  ['post', '/issuers', 'admin:platform'],
];

describe('A token without the scope answers 403', () => {
  let installation: Installation;
  let tenant: Tenant;

  beforeAll(async () => {
    installation = await install();
    tenant = await installation.createTenant();
    await tenant.grant({ subject: { type: 'everyone' }, prefix: '' });
  });
  afterAll(() => installation.close());

  const call = (method: (typeof ROUTES)[number][0], path: string, token: string) =>
    installation.api[method](path).auth(token, { type: 'bearer' });

  it.each(ROUTES)('%s %s, whatever other scopes it has', async (method, path, scope) => {
    // Attack: every scope but the one; and scopes that look like it.
    const others = EVERY_SCOPE.filter((other) => other !== scope);
    for (const claimed of [...others, '', scope.toUpperCase(), `${scope}x`, scope.slice(0, -1), `${scope},x`]) {
      const { status, body } = await call(method, path, tenant.token('alice', claimed));
      expect({ claimed, status, code: body.code }).toEqual({ claimed, status: 403, code: 'scope-missing' });
    }
    const missing = await call(method, path, tenant.token('alice', others.join(' ')));
    expect(missing.body).toMatchObject({ status: 403, code: 'scope-missing' });
    expect(missing.body.detail).toContain(`"${scope}"`);
  });

  it.each(ROUTES)('%s %s opens with it', async (method, path, scope) => {
    const token = scope === 'admin:platform' ? installation.operator : tenant.token('alice', `x ${scope} y`);
    const { status } = await call(method, path, token);
    expect([200, 400, 404]).toContain(status);
  });

  it("for admin:platform of an issuer that is not the platform's", async () => {
    // Attack: a tenant's own identity provider writes whatever scope it likes.
    const calls = callsBy(installation.api, tenant.token('mallory', EVERY_SCOPE.join(' ')));
    for (const path of ['/tenants', '/issuers']) {
      expect((await calls.get(path)).body).toMatchObject({ status: 403, code: 'scope-missing' });
      expect((await calls.post(path, { slug: 'stolen', name: 'x' })).body).toMatchObject({ code: 'scope-missing' });
    }
  });

  it('before the body is looked at, and the token before the scope', async () => {
    // Attack: error messages as a map of the API for those who may not use it.
    const { api } = installation;
    const json = { 'content-type': 'application/json' };
    const anonymous = await api.post('/download-url').send({});
    for (const broken of ['{', '[]', '{"key":"../x"}', '{"__proto__":1}']) {
      const noToken = await api.post('/download-url').set(json).send(broken);
      expect([noToken.status, bytesOf(noToken)]).toEqual([401, bytesOf(anonymous)]);
      const noScope = await callsBy(api, tenant.token('alice', 'write:objects'))
        .post('/download-url', broken)
        .set(json);
      expect(noScope.body).toMatchObject({ status: 403, code: 'scope-missing' });
      const both = await callsBy(api, tenant.token('alice')).post('/download-url', broken).set(json);
      expect(both.body).toMatchObject({ status: 400, code: 'invalid-request' });
    }
  });

  it('and leaves no row in the ledger', async () => {
    await callsBy(installation.api, tenant.token('carol', 'read:audit')).post('/download-url', {
      bucket: 'files',
      key: 'a',
    });
    await expect(tenant.events({ subject: 'carol' })).resolves.toEqual([]);
  });
});
