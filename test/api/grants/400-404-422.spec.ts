import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { install, type Installation, type Tenant } from '../../support/installation.js';
import { BAD_BODIES, BAD_KEYS } from '../bad-values.js';
import { type Calls, callsBy, pointersOf } from '../calls.js';

describe('/grants', () => {
  let installation: Installation;
  let tenant: Tenant;
  let admin: Calls;
  const everyone = { type: 'everyone' };
  const rest = { bucket: 'files', subject: everyone, actions: ['read'] };
  const good = { ...rest, key: 'a' };

  beforeAll(async () => {
    installation = await install();
    tenant = await installation.createTenant();
    admin = callsBy(installation.api, tenant.admin);
  });
  afterAll(() => installation.close());

  async function expectRefused(body: object, pointers: string[]) {
    const response = await admin.post('/grants', body);
    expect([response.status, response.body.code, pointersOf(response)]).toEqual([400, 'invalid-request', pointers]);
  }

  it.each(BAD_KEYS)('POST answers 400 for a key %s', (_, key) => expectRefused({ ...rest, key }, ['/key']));

  it.each(['a', '/', '/a/', 'a//', '../', 'a\\/', 'a\0/', 'e\u0301/', '\ud800/', `${'a'.repeat(1025)}/`, null, 1])(
    'POST answers 400 for the prefix %j',
    (prefix) => expectRefused({ ...rest, prefix }, ['/prefix']),
  );

  it.each<[object, string[]]>([
    [{ key: 'a', prefix: 'b/' }, ['/prefix']],
    [{}, ['/key']],
    [{ key: 'a', subject: undefined }, ['/subject']],
    [{ key: 'a', subject: 'alice' }, ['/subject']],
    [{ key: 'a', subject: null }, ['/subject']],
    [{ key: 'a', subject: [everyone] }, ['/subject']],
    [{ key: 'a', subject: { type: 'admin' } }, ['/subject/type']],
    [{ key: 'a', subject: { type: 'user' } }, ['/subject/id']],
    [{ key: 'a', subject: { type: 'group' } }, ['/subject/id']],
    [{ key: 'a', subject: { type: 'user', id: '' } }, ['/subject/id']],
    [{ key: 'a', subject: { type: 'user', id: null } }, ['/subject/id']],
    [{ key: 'a', subject: { type: 'user', id: 'a\0' } }, ['/subject/id']],
    [{ key: 'a', subject: { type: 'user', id: '\ud800' } }, ['/subject/id']],
    [{ key: 'a', subject: { type: 'user', id: 'a'.repeat(256) } }, ['/subject/id']],
    [{ key: 'a', subject: { type: 'everyone', id: 'alice' } }, ['/subject/id']],
    [{ key: 'a', subject: { type: 'everyone', tenant: 'x' } }, ['/subject/tenant']],
    [{ key: 'a', actions: [] }, ['/actions']],
    [{ key: 'a', actions: ['read', 'read'] }, ['/actions']],
    [{ key: 'a', actions: ['delete'] }, ['/actions']],
    [{ key: 'a', actions: 'read' }, ['/actions']],
    [{ key: 'a', actions: [null] }, ['/actions']],
    [{ key: 'a', effect: 'ALLOW' }, ['/effect']],
    [{ key: 'a', effect: null }, ['/effect']],
    [{ key: 'a', tenantId: 'x', lookupPath: '' }, ['/tenantId', '/lookupPath']],
  ])('POST answers 400 for %j', (body, pointers) => expectRefused({ ...rest, ...body }, pointers));

  it.each([
    'tomorrow',
    '',
    '2999-01-01',
    '2999-01-01T00:00:00',
    '2999-02-31T00:00:00Z',
    '2999-01-01T24:00:00Z',
    '0000-01-01T00:00:00Z',
    '9999-12-31T23:59:59-23:59',
    4e9,
    null,
  ])('POST answers 400 for the expiry %j', (expiresAt) => expectRefused({ ...good, expiresAt }, ['/expiresAt']));

  it.each(BAD_BODIES)('POST answers 400 for %s', (_, body) => admin.postBytes('/grants', body).expect(400));

  it('POST answers 422 unknown-reference for a bucket that is not registered', async () => {
    for (const bucket of ['nowhere', 'Files', 'files ']) {
      const { body } = await admin.post('/grants', { ...good, bucket }).expect(422);
      expect(body.code).toBe('unknown-reference');
      expect(body.errors).toMatchObject([{ code: 'unknown-reference', pointer: '/bucket' }]);
    }
  });

  it("POST answers 422 for another tenant's bucket, as if there were none", async () => {
    // Attack: a grant that reaches into somebody else's bucket.
    const other = await installation.createTenant({ name: 'theirs' });
    expect((await admin.post('/grants', { ...good, bucket: 'theirs' })).status).toBe(422);
    await expect(other.events({ action: 'grant.created' })).resolves.toEqual([]);
  });

  it.each(['1', 'x', '00000000-0000-4000-8000-000000000000', '%00', "1'--", '../grants'])(
    'DELETE answers 404 for the id %j',
    async (id) => {
      const { body } = await admin.delete(`/grants/${encodeURIComponent(id)}`);
      expect(body).toMatchObject({ status: 404, code: 'not-found' });
    },
  );

  it("DELETE answers 404 for another tenant's grant, and leaves it", async () => {
    const other = await installation.createTenant();
    const id = await other.grant({ subject: everyone, prefix: '' });
    expect((await admin.delete(`/grants/${id}`)).body).toMatchObject({ status: 404, code: 'not-found' });
    expect((await callsBy(installation.api, other.admin).get('/grants')).body.items).toHaveLength(1);
  });

  it('nothing of all that is in the ledger or among the grants', async () => {
    expect((await admin.get('/grants')).body.items).toEqual([]);
    for (const action of ['grant.created', 'grant.deleted'])
      await expect(tenant.events({ action })).resolves.toEqual([]);
  });
});
