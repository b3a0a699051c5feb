import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { install, type Installation, type Tenant } from '../../support/installation.js';
import { type Calls, callsBy } from '../calls.js';

describe('/use-cases', () => {
  let installation: Installation;
  let tenant: Tenant;
  let admin: Calls;
  const minimal = { action: 'read', minExpirySeconds: 1, defaultExpirySeconds: null, maxExpirySeconds: 604_800 };

  beforeAll(async () => {
    installation = await install();
  });
  afterAll(() => installation.close());
  beforeEach(async () => {
    tenant = await installation.createTenant();
    admin = callsBy(installation.api, tenant.admin);
  });

  it('GET answers 200 with the defaults that a new tenant starts with', async () => {
    const { body } = await admin.get('/use-cases').expect(200);
    const rows = body.items.map((item: Record<string, unknown>) => [
      item['name'],
      item['action'],
      item['minExpirySeconds'],
      item['defaultExpirySeconds'],
      item['maxExpirySeconds'],
    ]);
    expect(rows).toEqual([
      ['batch', 'any', 60, null, 604_800],
      ['download', 'read', 60, 900, 3_600],
      ['one-time', 'read', 300, 900, 3_600],
      ['share', 'read', 3_600, 86_400, 86_400],
      ['upload', 'write', 300, 900, 900],
    ]);
    for (const item of body.items)
      expect(item).toMatchObject({
        contentTypes: [],
        minContentLength: null,
        maxContentLength: null,
        overwrite: false,
        disposition: null,
        requireVerified: false,
      });
  });

  it('PUT answers 201 to a new name, 200 to a known one, which it replaces whole', async () => {
    const whole = {
      action: 'any',
      minExpirySeconds: 10,
      defaultExpirySeconds: 20,
      maxExpirySeconds: 30,
      contentTypes: ['image/*', 'application/pdf'],
      minContentLength: 0,
      maxContentLength: Number.MAX_SAFE_INTEGER,
      overwrite: true,
      disposition: 'inline',
      requireVerified: true,
    };
    const { body: created } = await admin.put('/use-cases/my_own.case-1', whole).expect(201);
    const times = { createdAt: expect.any(String), updatedAt: expect.any(String) };
    expect(created).toEqual({ name: 'my_own.case-1', ...whole, ...times });

    const { body: replaced } = await admin.put('/use-cases/my_own.case-1', minimal).expect(200);
    const left = {
      contentTypes: [],
      minContentLength: null,
      maxContentLength: null,
      overwrite: false,
      disposition: null,
      requireVerified: false,
    };
    expect(replaced).toEqual({ name: 'my_own.case-1', ...minimal, ...left, ...times });
    expect(replaced.createdAt).toBe(created.createdAt);
    expect((await admin.get('/use-cases')).body.items).toContainEqual(replaced);

    const events = await tenant.events({ subject: 'admin' });
    expect(events.slice(0, 2)).toMatchObject([
      {
        action: 'use-case.replaced',
        decision: 'granted',
        useCase: 'my_own.case-1',
        details: { useCase: replaced, before: created },
      },
      {
        action: 'use-case.created',
        decision: 'granted',
        useCase: 'my_own.case-1',
        details: { useCase: created, before: null },
      },
    ]);
  });

  it('PUT changes one tenant’s default and no other’s', async () => {
    const other = await installation.createTenant();
    await admin.put('/use-cases/download', minimal).expect(200);
    const { body } = await callsBy(installation.api, other.admin).get('/use-cases');
    expect(body.items[1]).toMatchObject({ name: 'download', minExpirySeconds: 60, maxExpirySeconds: 3_600 });
  });

  it('PUT of one name by many at once leaves one use case and a ledger row for each that was answered', async () => {
    const puts = Array.from({ length: 6 }, (_, n) =>
      admin.put('/use-cases/raced', { ...minimal, minExpirySeconds: n + 1 }),
    );
    const statuses = (await Promise.all(puts)).map(({ status }) => status);
    expect(statuses.filter((status) => status !== 200 && status !== 201)).toEqual([]);
    const events = (await tenant.events()).filter(({ useCase }) => useCase === 'raced');
    expect(events).toHaveLength(6);
    const { body } = await admin.get('/use-cases');
    expect(body.items.filter(({ name }: { name: string }) => name === 'raced')).toHaveLength(1);
  });

  it('DELETE answers 204, and the ledger says what it was', async () => {
    const { body: before } = await admin.put('/use-cases/gone', minimal);
    await admin.delete('/use-cases/gone').expect(204);
    const names = (await admin.get('/use-cases')).body.items.map(({ name }: { name: string }) => name);
    expect(names).not.toContain('gone');
    const [event] = await tenant.events();
    expect(event).toMatchObject({ action: 'use-case.deleted', subject: 'admin', useCase: 'gone', details: { before } });
  });
});
