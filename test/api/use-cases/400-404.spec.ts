import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { install, type Installation, type Tenant } from '../../support/installation.js';
import { BAD_BODIES } from '../bad-values.js';
import { type Calls, callsBy, pointersOf } from '../calls.js';

describe('/use-cases', () => {
  let installation: Installation;
  let tenant: Tenant;
  let admin: Calls;
  const good = { action: 'any', minExpirySeconds: 60, defaultExpirySeconds: 90, maxExpirySeconds: 120 };

  beforeAll(async () => {
    installation = await install();
    tenant = await installation.createTenant();
    admin = callsBy(installation.api, tenant.admin);
  });
  afterAll(() => installation.close());

  it.each<[object, string[]]>([
    [{ action: 'delete' }, ['/action']],
    [{ action: undefined }, ['/action']],
    [{ minExpirySeconds: 0 }, ['/minExpirySeconds']],
    [{ minExpirySeconds: '60' }, ['/minExpirySeconds']],
    [{ minExpirySeconds: 60.5 }, ['/minExpirySeconds']],
    [{ minExpirySeconds: null }, ['/minExpirySeconds']],
    [{ minExpirySeconds: 121 }, ['/minExpirySeconds', '/defaultExpirySeconds']],
    [{ defaultExpirySeconds: undefined }, ['/defaultExpirySeconds']],
    [{ defaultExpirySeconds: 59 }, ['/defaultExpirySeconds']],
    [{ defaultExpirySeconds: 121 }, ['/defaultExpirySeconds']],
    [{ defaultExpirySeconds: '90' }, ['/defaultExpirySeconds']],
    [{ maxExpirySeconds: 604_801 }, ['/maxExpirySeconds']],
    [{ maxExpirySeconds: 1e9 }, ['/maxExpirySeconds']],
    [{ maxExpirySeconds: undefined }, ['/maxExpirySeconds']],
    [{ contentTypes: 'image/png' }, ['/contentTypes']],
    [{ contentTypes: ['image/png', 'image/png'] }, ['/contentTypes']],
    [{ contentTypes: ['Image/PNG'] }, ['/contentTypes']],
    [{ contentTypes: ['*/*'] }, ['/contentTypes']],
    [{ contentTypes: ['image'] }, ['/contentTypes']],
    [{ contentTypes: ['image/png; q=1'] }, ['/contentTypes']],
    [{ contentTypes: [null] }, ['/contentTypes']],
    [{ contentTypes: null }, ['/contentTypes']],
    [{ contentTypes: Array.from({ length: 101 }, (_, n) => `a/${n}`) }, ['/contentTypes']],
    [{ minContentLength: -1 }, ['/minContentLength']],
    [{ minContentLength: 11, maxContentLength: 10 }, ['/minContentLength']],
    [{ maxContentLength: 2 ** 53 }, ['/maxContentLength']],
    [{ overwrite: 'true' }, ['/overwrite']],
    [{ disposition: 'none' }, ['/disposition']],
    [{ name: 'another', tenantId: 'x' }, ['/name', '/tenantId']],
  ])('PUT answers 400 for %j', async (body, pointers) => {
    const response = await admin.put('/use-cases/mine', { ...good, ...body });
    expect([response.status, response.body.code, pointersOf(response)]).toEqual([400, 'invalid-request', pointers]);
  });

  it.each(['UPPER', '-a', 'a-', 'a b', 'ü', '%00', 'a'.repeat(64), "a'--"])(
    'PUT answers 400 for the name %j',
    async (name) => {
      const response = await admin.put(`/use-cases/${encodeURIComponent(name)}`, good);
      expect([response.status, pointersOf(response)]).toEqual([400, ['/name']]);
    },
  );

  it.each(BAD_BODIES)('PUT answers 400 for %s', async (_, body) => {
    const put = installation.api.put('/use-cases/mine').auth(tenant.admin, { type: 'bearer' });
    const response = await put
      .set('content-type', 'application/json')
      .serialize((bytes) => bytes as string)
      .send(body);
    expect([response.status, response.body.code]).toEqual([400, 'invalid-request']);
  });

  it('DELETE answers 404 for a name that is not there, or is another tenant’s', async () => {
    const other = await installation.createTenant();
    await callsBy(installation.api, other.admin).put('/use-cases/theirs', good).expect(201);
    for (const name of ['none', 'theirs', 'UPPER', '%00', "a'--"]) {
      const { body } = await admin.delete(`/use-cases/${encodeURIComponent(name)}`);
      expect(body).toMatchObject({ status: 404, code: 'not-found' });
    }
    await callsBy(installation.api, other.admin).delete('/use-cases/theirs').expect(204);
    await admin.put('/use-cases/theirs', good).expect(201);
  });

  it('a path that is no UTF-8 answers 400, as a problem', async () => {
    const response = await admin.delete('/use-cases/%ff');
    expect(response.headers['content-type']).toBe('application/problem+json; charset=utf-8');
    expect(response.body).toMatchObject({ status: 400, code: 'invalid-request' });
    expect(response.body.requestId).toBe(response.headers['x-request-id']);
  });

  it('nothing of all that is in the ledger', async () => {
    const events = await tenant.events({ subject: 'admin' });
    expect(events.map(({ action, useCase }) => [action, useCase])).toEqual([
      ['use-case.created', 'theirs'],
      ['bucket.created', null],
    ]);
  });
});
