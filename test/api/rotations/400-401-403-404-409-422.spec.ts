import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { install, type Installation, type Tenant } from '../../support/installation.js';
import { asOwner, callsBy, pointersOf } from '../calls.js';

const credential = { accessKeyId: 'NEWKEY0000000001', secretAccessKey: 'a-secret-of-its-own' };
const rotation = { bucket: 'files', mode: 'graceful', reason: 'a test', credential };

describe('POST /rotations and POST /signing-keys/{id}/revocation', () => {
  let installation: Installation;
  let tenant: Tenant;
  const calls = () => callsBy(installation.api, tenant.admin);
  const keyOf = async (other: Tenant = tenant) => {
    const response = await callsBy(installation.api, other.admin).get('/signing-keys').expect(200);
    return (response.body as { items: { id: string }[] }).items[0]?.id ?? '';
  };
  beforeAll(async () => {
    installation = await install();
    tenant = await installation.createTenant();
  });
  afterAll(() => installation.close());

  it('401 and 403 come before everything: without the scope nobody learns of a rotation', async () => {
    await installation.api.post('/rotations').send(rotation).expect(401);
    for (const path of ['/rotations', `/signing-keys/${await keyOf()}/revocation`])
      expect((await callsBy(installation.api, tenant.token('alice')).post(path, {}).expect(403)).body).toMatchObject({
        code: 'scope-missing',
      });
  });

  it.each([
    ['/bucket', { bucket: 7 }],
    ['/mode', { mode: 'revocation' }],
    ['/reason', { reason: '' }],
    ['/reason', { reason: undefined }],
    ['/credential', { credential: undefined }],
    ['/credential/secretAccessKey', { credential: { accessKeyId: 'NEWKEY0000000001' } }],
    ['/credential/expiresAt', { credential: { ...credential, sessionToken: 'token' } }],
    ['/credential/expiresAt', { credential: { ...credential, expiresAt: '2020-01-01T00:00:00Z' } }],
    ['/force', { force: true }],
  ])('400: %s', async (pointer, more) => {
    const response = await calls()
      .post('/rotations', { ...rotation, ...more })
      .expect(400);
    expect(pointersOf(response)).toEqual([pointer]);
  });

  it('400: the old key once more, in its own place', async () => {
    const accessKeyId = process.env['STORAGE_ACCESS_KEY_ID'];
    const again = { ...rotation, credential: { ...credential, accessKeyId } };
    expect(pointersOf(await calls().post('/rotations', again).expect(400))).toEqual(['/credential/accessKeyId']);
  });

  it('400: a dry run that is neither true nor false', async () => {
    expect(pointersOf(await calls().post('/rotations?dryRun=yes', rotation).expect(400))).toEqual(['/dryRun']);
  });

  it('422 and 404: what is not there, or is another tenant’s', async () => {
    // Attack: cut off another tenant's key.
    const neighbour = await installation.createTenant({ name: 'theirs' });
    const theirs = await keyOf(neighbour);
    const unknown = await calls()
      .post('/rotations', { ...rotation, bucket: 'theirs' })
      .expect(422);
    expect(unknown.body).toMatchObject({ code: 'unknown-reference' });
    for (const id of [theirs, randomUUID(), 'not-an-id'])
      await calls().post(`/signing-keys/${id}/revocation`, { reason: 'a test' }).expect(404);
    const own = callsBy(installation.api, neighbour.admin);
    expect((await own.get('/signing-keys').expect(200)).body).toMatchObject({ items: [{ state: 'active' }] });
    for (const path of [randomUUID(), 'not-an-id']) {
      await calls().get(`/rotations/${path}`).expect(404);
      await calls().post(`/rotations/${path}/retry`, {}).expect(404);
      await calls().post(`/rotations/${path}/escalation`, { reason: 'a test' }).expect(404);
    }
  });

  it('200: a dry run says what would die, and changes nothing', async () => {
    await tenant.grant({ subject: { type: 'everyone' }, prefix: 'dry/' });
    for (const subject of ['alice', 'alice', 'bob'])
      await callsBy(installation.api, tenant.token(subject))
        .post('/download-url', { bucket: 'files', key: 'dry/a' })
        .expect(201);
    const before = await asOwner('SELECT count(*)::int AS n FROM ledger WHERE action LIKE $1', ['%rotation%']);
    const id = await keyOf();
    for (const [path, body, mode] of [
      ['/rotations', { bucket: 'files', mode: 'immediate' }, 'immediate'],
      ['/rotations', { bucket: 'files', mode: 'graceful', reason: 'a test' }, 'graceful'],
      [`/signing-keys/${id}/revocation`, {}, 'revocation'],
    ] as const) {
      const response = await calls().post(`${path}?dryRun=true`, body).expect(200);
      expect(response.headers['location']).toBeUndefined();
      expect(response.body).toEqual({
        bucket: 'files',
        mode,
        exposure: { liveUrls: 3, subjects: 2, latestExpiresAt: expect.any(String) },
      });
    }
    expect((await calls().get('/signing-keys').expect(200)).body).toMatchObject({ items: [{ id, state: 'active' }] });
    expect((await calls().get('/rotations').expect(200)).body).toEqual({ items: [], nextCursor: null });
    expect(await asOwner('SELECT count(*)::int AS n FROM ledger WHERE action LIKE $1', ['%rotation%'])).toEqual(before);
  });
});

describe('While a rotation is under way', () => {
  let installation: Installation;
  let tenant: Tenant;
  const calls = () => callsBy(installation.api, tenant.admin);
  beforeAll(async () => {
    installation = await install();
    tenant = await installation.createTenant();
  });
  afterAll(() => installation.close());

  it('409: of two administrators at once, one rotates and the other is told of it', async () => {
    // Attack: two rotations at once, each of which takes the other's new key for the old one.
    const attempts = Array.from({ length: 8 }, () => calls().post('/rotations', rotation));
    const answers = await Promise.all(attempts);
    const [begun, ...others] = answers.toSorted((a, b) => a.status - b.status);
    const id = (begun?.body as { id: string } | undefined)?.id;
    expect([begun?.status, ...others.map(({ status }) => status)]).toEqual([202, ...others.map(() => 409)]);
    for (const { body } of others) expect(body).toMatchObject({ code: 'rotation-under-way', rotationId: id });
    expect(id).toEqual(expect.any(String));
  });

  it('409 comes before the rest of the body is looked at', async () => {
    const { items } = (await calls().get('/rotations').expect(200)).body as { items: { id: string }[] };
    const rotationId = items[0]?.id;
    const keys = (await calls().get('/signing-keys?bucket=files').expect(200)).body as { items: { id: string }[] };
    const revocation = `/signing-keys/${keys.items[0]?.id}/revocation`;
    for (const [path, body] of [
      ['/rotations', { bucket: 'files' }],
      ['/rotations', { bucket: 'files', mode: 'sideways', credential: 7, more: true }],
      ['/rotations?dryRun=true', { bucket: 'files', mode: 'graceful' }],
      [revocation, {}],
      [revocation, { reason: 7 }],
      [`${revocation}?dryRun=true`, {}],
    ] as const)
      expect((await calls().post(path, body).expect(409)).body).toMatchObject({
        code: 'rotation-under-way',
        rotationId,
      });
    // What names no bucket is malformed, whatever is under way.
    await calls().post('/rotations', { mode: 'graceful' }).expect(400);
    await calls().postBytes('/rotations', '{"bucket":').expect(400);
  });

  it('409: it is not hurried before it waits, and not retried while it goes on', async () => {
    const { items } = (await calls().get('/rotations?bucket=files').expect(200)).body as { items: { id: string }[] };
    const escalation = await calls().post(`/rotations/${items[0]?.id}/escalation`, { reason: 'a test' }).expect(409);
    expect(escalation.body).toMatchObject({ code: 'wrong-state' });
    expect((await calls().post(`/rotations/${items[0]?.id}/retry`, {}).expect(409)).body).toMatchObject({
      code: 'wrong-state',
    });
    expect((await calls().get('/rotations?bucket=other').expect(200)).body).toEqual({ items: [], nextCursor: null });
  });
});
