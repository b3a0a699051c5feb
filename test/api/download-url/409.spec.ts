import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { install, type Installation, storeBucket, type Tenant } from '../../support/installation.js';
import { itemsOf } from '../batches.js';
import { asOwner, callsBy } from '../calls.js';

describe('POST /download-url answers 409 not-verified', () => {
  let installation: Installation;
  let tenant: Tenant;
  let key: string;
  let uploadId: string;

  beforeAll(async () => {
    installation = await install();
    tenant = await installation.createTenant();
    await tenant.grant({ subject: { type: 'everyone' }, prefix: 'users/{sub}/' });
    await tenant.grant({ subject: { type: 'user', id: 'reader' }, prefix: '', actions: ['read'] });
    await tenant.grant({ subject: { type: 'user', id: 'writer' }, prefix: '', actions: ['write'] });
    const strict = { action: 'any', minExpirySeconds: 1, defaultExpirySeconds: 60, maxExpirySeconds: 60 };
    await callsBy(installation.api, tenant.admin)
      .put('/use-cases/strict', { ...strict, requireVerified: true })
      .expect(201);
  });
  beforeEach(async () => {
    key = `users/alice/${randomUUID()}`;
    const wish = { bucket: 'files', key, contentType: 'text/plain', contentLength: 5, useCase: 'strict' };
    uploadId = (await calls('alice').post('/upload-url', wish).expect(201)).body.uploadId;
  });
  afterAll(() => installation.close());

  const calls = (subject: string) => callsBy(installation.api, tenant.token(subject));
  const download = (subject: string, body: object = {}) =>
    calls(subject).post('/download-url', { bucket: 'files', key, ...body });

  it('to everybody, the uploader too, until the upload is verified; on record', async () => {
    // Attack: what was not looked at yet, handed on.
    for (const subject of ['alice', 'reader']) {
      const { body } = await download(subject).expect(409);
      expect(body).toMatchObject({ code: 'not-verified', status: 409 });
    }
    await download('alice', { useCase: 'strict', method: 'HEAD' }).expect(409);
    const [event] = await tenant.events({ key, subject: 'reader' });
    expect(event).toMatchObject({ action: 'download-url', decision: 'refused', reason: 'not-verified', url: null });

    await asOwner(`UPDATE uploads SET state = 'verified', withheld = false WHERE id = $1`, [uploadId]);
    await download('reader').expect(201);
  });

  it('not to those who may not read it anyway: they are told what they would be told', async () => {
    expect((await download('writer').expect(403)).body.code).toBe('not-granted');
    expect((await download('bob').expect(403)).body.code).toBe('not-granted');
    expect((await download('reader', { bucket: 'nowhere' }).expect(404)).body.code).toBe('bucket-not-found');
    expect((await download('reader', { useCase: 'upload' }).expect(422)).body.code).toBe('use-case-not-found');
  });

  it('for no other key, bucket or tenant, and not for an upload', async () => {
    await download('reader', { key: `${key}x` }).expect(201);
    await download('reader', { key: 'users/alice' }).expect(201);
    const again = { bucket: 'files', key, contentType: 'text/plain', contentLength: 5 };
    await calls('alice').post('/upload-url', again).expect(201);
    const other = { ...storeBucket(), name: `other-${randomUUID()}` };
    await callsBy(installation.api, tenant.admin).post('/buckets', other).expect(201);
    await tenant.grant({ subject: { type: 'everyone' }, bucket: other.name, prefix: '' });
    await download('reader', { bucket: other.name }).expect(201);
    const neighbour = await installation.createTenant();
    await neighbour.grant({ subject: { type: 'everyone' }, prefix: '' });
    await callsBy(installation.api, neighbour.token('reader'))
      .post('/download-url', { bucket: 'files', key })
      .expect(201);
  });

  it('in a batch for that item only', async () => {
    const items = [{ key: 'users/alice/free' }, { key }, { key, useCase: 'strict' }, { key, useCase: 'upload' }];
    const asked = items.map((item) => ({ bucket: 'files', ...item }));
    const answers = itemsOf(await calls('reader').post('/download-urls', { items: asked }).expect(200));
    expect(answers.map(({ status, body: { code } }) => [status, code])).toEqual([
      [201, undefined],
      [409, 'not-verified'],
      [409, 'not-verified'],
      [422, 'use-case-not-found'],
    ]);
  });

  it('and permission-checks say so', async () => {
    const checks = async (subject: string, items: object[]) => {
      const asked = items.map((item) => ({ bucket: 'files', key, ...item }));
      const { body } = await calls(subject).post('/permission-checks', { items: asked }).expect(200);
      return (body.items as { allowed: boolean; reason: string | null }[]).map(({ reason }) => reason);
    };
    const read = { action: 'read' };
    const write = { action: 'write', useCase: 'strict' };
    await expect(checks('alice', [read, write, { ...write, action: 'read' }])).resolves.toEqual([
      'not-verified',
      null,
      'not-verified',
    ]);
    await expect(checks('writer', [read])).resolves.toEqual(['not-granted']);
    await expect(checks('alice', [{ ...read, useCase: 'upload' }])).resolves.toEqual(['use-case-not-found']);
  });
});
