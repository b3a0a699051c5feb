import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { callsBy, pointersOf } from '../../calls.js';
import { install, storeBucket } from '../../../support/installation.js';
import { PATH, startUppy, type UppyTest } from './uppy-fixture.js';

const LINE =
  'uppy.addPreProcessor(async (ids) => ids.forEach((id) => uppy.setFileMeta(id, { size: uppy.getFile(id).size })))';

describe('What Uppy may not ask for', () => {
  let t: UppyTest;
  beforeAll(async () => (t = await startUppy()));
  afterAll(() => t.stop());

  const MALFORMED: [string, Record<string, string>, Record<string, string>, string][] = [
    ['no name', {}, { filename: '' }, '/filename'],
    ['a name of two segments', {}, { filename: 'a/b' }, '/filename'],
    ['a type that is none', {}, { type: 'text' }, '/type'],
    ['a size that is none', { size: '5.5' }, {}, '/metadata/size'],
    ['a size that is too large for a number', { size: '99999999999999999' }, {}, '/metadata/size'],
    ['a key that is none', { key: '/a' }, {}, '/metadata/key'],
    ['a key and a prefix', { key: 'users/alice/a', prefix: 'users/' }, {}, '/metadata/prefix'],
    ['a prefix that is none', { prefix: 'users' }, {}, '/metadata/prefix'],
    ['a part of more than 5 GiB', { partSize: '5368709121' }, {}, '/metadata/partSize'],
    ['what nobody knows', {}, { overwrite: 'true' }, '/overwrite'],
    // Attack: a prototype's own name, in the brackets.
    ['a name of a prototype', { __proto__x: '', constructor: 'x' }, {}, '/metadata/constructor'],
  ];
  it.each(MALFORMED)('is a 400 that names the place, and its message too: %s', async (_, metadata, query, pointer) => {
    const { body } = await t.params({ size: '5', ...metadata }, query).expect(400);
    expect(pointersOf({ body })).toEqual([pointer]);
    expect(body.message).toContain(pointer.slice(1).replaceAll('/', '.'));
  });

  it('is told by the same places in a body', async () => {
    const { body } = await t.begin({ size: -1, prefix: 'users' }).expect(400);
    expect(pointersOf({ body }).toSorted()).toEqual(['/metadata/prefix', '/metadata/size']);
    expect(pointersOf(await t.begin({}, { metadata: [] }).expect(400))).toEqual(['/metadata']);
    expect(pointersOf(await t.begin({}, { filename: 5 }).expect(400))).toEqual(['/filename']);
    expect(pointersOf(await t.alice.post(`${PATH}/multipart`, []).expect(400))).toEqual(['']);
  });

  // Attack: parts whose length nobody said could be of any.
  it('in parts is a 400 without a size, with the line that the page lacks', async () => {
    const { body } = await t.begin({}).expect(400);
    expect(body.message).toBe(`metadata.size must be given: add ${LINE}.`);
    const tooMany = await t.begin({ size: 10_001 * 6 * 1024 ** 2, partSize: 6 * 1024 ** 2 }).expect(400);
    expect(tooMany.body.message).toBe('metadata.partSize must be at least 6292086: there can be 10000 parts.');
  });

  it('is a 400 where it is not plain which bucket is meant: the same for none and for many', async () => {
    const nobodys = await t.installation.createTenant();
    const asked = { filename: 'a.txt', 'metadata[size]': '5' };
    const bob = callsBy(t.installation.api, nobodys.token('bob'));
    const { body: none } = await bob.get(`${PATH}/params`, asked).expect(400);
    const admin = callsBy(t.installation.api, nobodys.admin);
    await admin.post('/buckets', { ...storeBucket(), name: 'more' }).expect(201);
    for (const bucket of ['files', 'more']) await nobodys.grant({ bucket, subject: { type: 'everyone' }, prefix: '' });
    const { body: many } = await bob.get(`${PATH}/params`, asked).expect(400);
    expect(many).toEqual({ ...none, requestId: many.requestId });
    expect(none.message).toBe(
      'metadata.bucket must be given: there is not exactly one bucket that the caller may write this file to.',
    );
  });

  it('is a 400 where no folder can be called as the subject', async () => {
    const { body } = await callsBy(t.installation.api, t.tenant.token('auth0|a/b'))
      .get(`${PATH}/params`, { filename: 'a.txt', 'metadata[size]': '5' })
      .expect(400);
    expect(pointersOf({ body })).toEqual(['/metadata/key']);
  });

  it('is a 422 outside the use case, by Uppy’s own places, on record, and with limits', async () => {
    const { body } = await t.params({ useCase: 'photos', size: '1' }).expect(422);
    expect(body.errors).toMatchObject([
      { code: 'content-type-not-allowed', pointer: '/type', limits: { contentTypes: ['image/*'] } },
      { code: 'too-small', pointer: '/metadata/size' },
    ]);
    expect(body.message).toBe('type must be one of image/* in "photos"; metadata.size must be at least 2 bytes.');
    expect(body.message).toBe(body.detail);
    const [event] = await t.tenant.events({ decision: 'refused' });
    expect(event).toMatchObject({ action: 'upload-url', reason: 'content-type-not-allowed', subject: 'alice' });
    const tooLarge = await t.begin({ useCase: 'photos', size: 7 * 1024 ** 2 }, { type: 'image/png' }).expect(422);
    expect(tooLarge.body).toMatchObject({ code: 'too-large', errors: [{ pointer: '/metadata/size' }] });
    const empty = await t.begin({ size: 0 }).expect(422);
    expect(empty.body.message).toBe('metadata.size must be at least 1 bytes.');
    const expiry = await t.params({ size: '5', expiresInSeconds: '7000' }).expect(422);
    expect(pointersOf(expiry)).toEqual(['/metadata/expiresInSeconds']);
    const useCase = await t.params({ size: '5', useCase: 'no-such' }).expect(422);
    expect(useCase.body.errors).toMatchObject([{ code: 'use-case-not-found', pointer: '/metadata/useCase' }]);
    const key = await t.params({ size: '5', key: 'users/alice/${filename}' }).set('Accept', '*/*').expect(422);
    expect(key.body.errors).toMatchObject([{ code: 'mode-not-available', pointer: '/metadata/key' }]);
  });

  it('is a 422 where the store offers no forms, with what the page is to change', async () => {
    const { endpoint } = storeBucket() as { endpoint: string };
    const installation = await install({
      EMBEDDED_STORE_ENDPOINT: endpoint,
      EMBEDDED_STORE_ADMIN_ACCESS_KEY_ID: 'NOBODYASKSIT00000001',
      EMBEDDED_STORE_ADMIN_SECRET_ACCESS_KEY: 'nobody asks for it',
    });
    const tenant = await installation.createTenant();
    await tenant.grant({ subject: { type: 'everyone' }, prefix: 'users/{sub}/' });
    const alice = callsBy(installation.api, tenant.token('alice'));
    const asked = async (size: object) => {
      const { body } = await alice.get(`${PATH}/params`, { filename: 'a.txt', ...size }).expect(422);
      return [body.code, body.message];
    };
    expect([await asked({}), await asked({ 'metadata[size]': '5' }), await asked({ 'metadata[size]': '0' })]).toEqual([
      ['mode-not-available', `metadata.size must be given, since this bucket offers no forms: add ${LINE}.`],
      ['mode-not-available', 'filename cannot be sent by a form to this bucket: set shouldUseMultipart to true.'],
      ['mode-not-available', 'metadata.size cannot be 0, since this bucket offers no forms.'],
    ]);
    await installation.close();
  });

  it('is a 422 for a part that the upload does not have, and a 400 for numbers that are none', async () => {
    const { body } = await t.begin({ size: 5 }).expect(200);
    const path = `${PATH}/multipart/${body.uploadId}`;
    expect((await t.alice.get(`${path}/2`).expect(422)).body).toMatchObject({ code: 'part-number-out-of-range' });
    for (const partNumbers of ['', '0', '1,', '1,1', 'a', '1 2', '99999999', Array(1001).fill(1).join()])
      expect(pointersOf(await t.alice.get(`${path}/batch`, { partNumbers }).expect(400))).toEqual(['/partNumbers']);
    expect(pointersOf(await t.alice.get(`${path}/batch`).expect(400))).toEqual(['/partNumbers']);
    const completing = (parts: object[]) => t.alice.post(`${path}/complete`, { parts }).expect(400);
    const part = { PartNumber: 1, ETag: '"e"' };
    expect(pointersOf(await completing([part, part]))).toEqual(['/parts/1/PartNumber']);
    expect(pointersOf(await completing([{ PartNumber: '1', ETag: '"e"' }]))).toEqual(['/parts/0/PartNumber']);
    expect(pointersOf(await completing([{ PartNumber: 1 }]))).toEqual(['/parts/0/ETag']);
  });

  it('is a 413 and a 415 like everywhere', async () => {
    const large = await t.begin({ caption: 'x'.repeat(70_000) }).expect(413);
    expect(large.body).toMatchObject({ code: 'body-too-large', message: large.body.detail });
    await t.alice.post(`${PATH}/multipart`, 'a=b').type('form').expect(415);
    await t.alice.post(`${PATH}/multipart/${randomUUID()}/complete`, 'a=b').type('form').expect(415);
  });
});
