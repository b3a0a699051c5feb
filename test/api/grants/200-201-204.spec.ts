import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { install, type Installation, type Tenant } from '../../support/installation.js';
import { asOwner, type Calls, callsBy } from '../calls.js';

describe('/grants', () => {
  let installation: Installation;
  let tenant: Tenant;
  let admin: Calls;

  beforeAll(async () => {
    installation = await install();
  });
  afterAll(() => installation.close());
  beforeEach(async () => {
    tenant = await installation.createTenant();
    admin = callsBy(installation.api, tenant.admin);
  });

  const create = async (grant: object) =>
    (await admin.post('/grants', { bucket: 'files', actions: ['read'], ...grant }).expect(201)).body;

  it('POST answers 201 with the grant, and the ledger says who made it', async () => {
    const subject = { type: 'user', id: 'auth0|alice' };
    const expiresAt = '2999-12-31T23:59:59+02:00';
    const grant = await create({
      subject,
      prefix: 'reports/{sub}/',
      actions: ['write', 'read'],
      effect: 'deny',
      expiresAt,
    });
    expect(grant).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      subject,
      bucket: 'files',
      key: null,
      prefix: 'reports/{sub}/',
      actions: ['write', 'read'],
      effect: 'deny',
      expiresAt: '2999-12-31T21:59:59.000Z',
      createdAt: expect.any(String),
    });
    const [event, ...others] = await tenant.events({ action: 'grant.created' });
    expect(others).toEqual([]);
    expect(event).toMatchObject({
      subject: 'admin',
      decision: 'granted',
      reason: null,
      bucket: 'files',
      key: 'reports/{sub}/',
      details: { grant },
    });
  });

  it('POST takes a group, everyone, a key and the whole bucket', async () => {
    const group = { type: 'group', id: 'staff' };
    await expect(create({ subject: group, key: 'a/b.txt' })).resolves.toMatchObject({
      subject: group,
      key: 'a/b.txt',
      prefix: null,
      effect: 'allow',
      expiresAt: null,
    });
    await expect(create({ subject: { type: 'everyone' }, prefix: '' })).resolves.toMatchObject({
      subject: { type: 'everyone' },
      key: null,
      prefix: '',
    });
  });

  it('GET answers 200 with the grants of this tenant and no others, oldest first, page by page', async () => {
    const other = await installation.createTenant();
    await other.grant({ subject: { type: 'everyone' }, prefix: 'theirs/' });
    const made = [];
    for (let n = 0; n < 5; n++) made.push(await create({ subject: { type: 'everyone' }, key: `k${n}` }));
    const ids = (items: { id: string }[]) => items.map(({ id }) => id).sort();

    const seen = [];
    let cursor: string | null = '';
    const sizes: number[] = [];
    while (cursor !== null) {
      const query: Record<string, string> = cursor === '' ? { limit: '2' } : { limit: '2', cursor };
      const { body } = await admin.get('/grants', query).expect(200);
      seen.push(...body.items);
      sizes.push(body.items.length);
      cursor = body.nextCursor;
    }
    expect(sizes).toEqual([2, 2, 1]);
    expect(ids(seen)).toEqual(ids(made));
    const whole = await admin.get('/grants').expect(200);
    expect(whole.body).toEqual({ items: seen, nextCursor: null });
    expect((await admin.get('/grants', { limit: '5' })).body.nextCursor).toBeNull();
    // Another tenant's cursor is a place in that tenant's list, and opens nothing.
    const { body: theirs } = await callsBy(installation.api, other.admin).get('/grants', { limit: '1' });
    expect(theirs.items.map(({ prefix }: { prefix: string }) => prefix)).toEqual(['theirs/']);
  });

  it('GET can be of one bucket', async () => {
    const second = { name: 'second', provider: 's3', region: 'eu-central-1', bucket: 'second-bucket' };
    const credentials = { accessKeyId: 'AKIA', secretAccessKey: 'secret-secret' };
    await admin.post('/buckets', { ...second, credentials }).expect(201);
    const there = await create({ subject: { type: 'everyone' }, bucket: 'second', key: 'a' });
    await create({ subject: { type: 'everyone' }, key: 'a' });
    expect((await admin.get('/grants', { bucket: 'second' })).body.items).toEqual([there]);
    expect((await admin.get('/grants', { bucket: 'none' })).body.items).toEqual([]);
  });

  it('DELETE answers 204, and the ledger says what it was', async () => {
    const grant = await create({ subject: { type: 'everyone' }, key: 'a' });
    const { text } = await admin.delete(`/grants/${grant.id}`).expect(204);
    expect(text).toBe('');
    expect((await admin.get('/grants')).body.items).toEqual([]);
    const [event] = await tenant.events();
    expect(event).toMatchObject({
      action: 'grant.deleted',
      subject: 'admin',
      bucket: 'files',
      key: 'a',
      details: { grant },
    });
  });

  it('DELETE of one grant by many at once succeeds once, with one ledger row', async () => {
    const { id } = await create({ subject: { type: 'everyone' }, key: 'a' });
    const answers = await Promise.all(Array.from({ length: 8 }, () => admin.delete(`/grants/${id}`)));
    const statuses = answers.map(({ status }) => status).sort((a, b) => a - b);
    expect(statuses).toEqual([204, ...Array.from({ length: 7 }, () => 404)]);
    await expect(tenant.events({ action: 'grant.deleted' })).resolves.toHaveLength(1);
  });

  it('a grant lies where the look-up of its keys will search', async () => {
    const { id } = await create({ subject: { type: 'everyone' }, prefix: 'a/b{sub}c/d/' });
    await expect(asOwner('SELECT path, lookup_path FROM grants WHERE id = $1', [id])).resolves.toEqual([
      { path: 'a/b{sub}c/d/', lookup_path: 'a/' },
    ]);
    const caller = callsBy(installation.api, tenant.token('x'));
    await caller.post('/download-url', { bucket: 'files', key: 'a/bxc/d/e' }).expect(201);
    await caller.post('/download-url', { bucket: 'files', key: 'a/byc/d/e' }).expect(403);
  });
});
