import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { install, type Installation, type Tenant } from '../../support/installation.js';

describe('POST /permission-checks answers 200', () => {
  let installation: Installation;
  let tenant: Tenant;
  const check = (items: object[], token = tenant.token('alice')) =>
    installation.api.post('/permission-checks').auth(token, { type: 'bearer' }).send({ items });

  beforeAll(async () => {
    installation = await install();
    tenant = await installation.createTenant();
    await tenant.grant({ subject: { type: 'everyone' }, prefix: 'users/{sub}/' });
    await tenant.grant({ subject: { type: 'group', id: 'staff' }, prefix: '', actions: ['read'] });
    await tenant.grant({ subject: { type: 'user', id: 'alice' }, key: 'users/alice/secret', effect: 'deny' });
  });
  afterAll(() => installation.close());

  it('with what issuing would say, in the order that was asked', async () => {
    const key = 'users/alice/a';
    const { body } = await check([
      { bucket: 'files', key, action: 'read' },
      { bucket: 'files', key, action: 'write' },
      { bucket: 'files', key: 'users/alice/secret', action: 'read' },
      { bucket: 'files', key: 'users/bob/a', action: 'read' },
      { bucket: 'nowhere', key, action: 'read' },
      { bucket: 'files', key, action: 'read', useCase: 'upload' },
      { bucket: 'files', key, action: 'write', useCase: 'batch' },
    ]).expect(200);
    const { items } = body as {
      items: { allowed: boolean; reason: string | null; policy: { maxExpirySeconds: number } | null }[];
    };
    expect(items.map(({ allowed, reason, policy }) => [allowed, reason, policy?.maxExpirySeconds ?? null])).toEqual([
      [true, null, 3_600],
      [true, null, 900],
      [false, 'not-granted', null],
      [false, 'not-granted', null],
      [false, 'bucket-not-found', null],
      [false, 'use-case-not-found', null],
      [true, null, 604_800],
    ]);
  });

  it('with what the groups of the token allow', async () => {
    const staff = tenant.token('carol', undefined, { groups: ['staff'] });
    const item = { bucket: 'files', key: 'any/where', action: 'read' };
    expect((await check([item], staff).expect(200)).body.items[0].allowed).toBe(true);
    expect((await check([{ ...item, action: 'write' }], staff).expect(200)).body.items[0].reason).toBe('not-granted');
    expect((await check([item], tenant.token('carol')).expect(200)).body.items[0].reason).toBe('not-granted');
  });

  it('with nothing signed and nothing on record', async () => {
    const before = await tenant.events();
    const { text } = await check([{ bucket: 'files', key: 'users/alice/a', action: 'read' }]).expect(200);
    expect(text).not.toMatch(/X-Amz|https?:/);
    expect(await tenant.events()).toEqual(before);
  });

  it('for up to 100 items, and not for none or more', async () => {
    const items = Array.from({ length: 100 }, (_, n) => ({ bucket: 'files', key: `users/alice/${n}`, action: 'read' }));
    expect((await check(items).expect(200)).body.items).toHaveLength(100);
    expect((await check([...items, ...items]).expect(400)).body.errors[0].pointer).toBe('/items');
    expect((await check([]).expect(400)).body.errors[0].pointer).toBe('/items');
    const nameless = [...items.slice(0, 3), { bucket: 'files', key: '../x', action: 'read' }];
    expect((await check(nameless).expect(400)).body.errors[0].pointer).toBe('/items/3/key');
    // An empty list has nothing in it that could be wrong, and is no item.
    expect((await check([[]]).expect(400)).body.errors[0].pointer).toBe('/items');
  });
});
