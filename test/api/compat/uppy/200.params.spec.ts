import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { storeBucket } from '../../../support/installation.js';
import { callsBy } from '../../calls.js';
import { OWN_KEY, PATH, startUppy, type UppyTest } from './uppy-fixture.js';

describe('GET /compat/uppy/s3/params answers 200', () => {
  let t: UppyTest;
  beforeAll(async () => (t = await startUppy()));
  afterAll(() => t.stop());

  /** What is on record of the upload. */
  const rowOf = async (issuanceId: string) =>
    (await t.tenant.events()).find((event) => event['issuanceId'] === issuanceId);

  it('with a PUT of exactly that size and type, for Uppy 5, which can replace nothing', async () => {
    const response = await t.params({ bucket: 'files', size: '5' }).expect(200);
    const { method, url, headers, fields, key, uploadId } = response.body;
    expect(response.headers['cache-control']).toBe('no-store');
    expect(method).toBe('PUT');
    expect(key).toMatch(OWN_KEY);
    expect(fields).toEqual({ key });
    expect(headers).toEqual({
      'content-type': 'text/plain',
      'if-none-match': '*',
      'x-amz-acl': 'private',
      'x-amz-meta-countersign-upload': uploadId,
    });
    expect(await rowOf(uploadId)).toMatchObject({
      action: 'upload-url',
      decision: 'granted',
      subject: 'alice',
      key,
      contentLength: 5,
      contentType: 'text/plain',
    });
    const put = (body: string) => fetch(url, { method, headers, body });
    expect((await put('hello!')).status).toBe(403);
    expect((await put('hello')).status).toBe(200);
    expect((await put('jello')).status).toBe(412);
    await t.alice.post(`/uploads/${uploadId}/completion`, {}).expect(200);
  });

  it('with a form of exactly that size, for Uppy 6, which takes nothing else', async () => {
    const { body } = await t.params({ bucket: 'files', size: '5' }).set('Accept', '*/*').expect(200);
    expect(body).toMatchObject({ method: 'POST', headers: {}, bucket: 'files' });
    expect(body.key).toMatch(OWN_KEY);
    // At the store, behind the bucket's own prefix.
    expect(body.fields.key.endsWith(`/${body.key}`)).toBe(true);
    expect(conditionsOf(body)).toContainEqual(['content-length-range', 5, 5]);
    expect(body.fields).toMatchObject({ 'Content-Type': 'text/plain', 'x-amz-meta-countersign-upload': body.uploadId });
  });

  // Attack: a page that says no size gets a URL that takes any.
  it('with a form of the sizes that the use case allows, where nobody says the size', async () => {
    const { body } = await t.params({ bucket: 'files', useCase: 'photos' }, { type: 'image/png' }).expect(200);
    expect(body.method).toBe('POST');
    expect(conditionsOf(body)).toContainEqual(['content-length-range', 2, 6 * 1024 ** 2]);
    const { body: whole } = await t.params({ bucket: 'files' }).expect(200);
    expect(conditionsOf(whole)).toContainEqual(['content-length-range', 0, 5 * 1024 ** 3]);
  });

  it('by the key, or by the prefix, that the page chose', async () => {
    const folder = `users/alice/${randomUUID()}`;
    const { body: byKey } = await t.params({ key: `${folder}/b.bin`, size: '5' }).expect(200);
    expect(byKey.key).toBe(`${folder}/b.bin`);
    const { body: byPrefix } = await t.params({ prefix: `${folder}/`, size: '5' }).expect(200);
    expect(byPrefix.key).toBe(`${folder}/a.txt`);
  });

  it('with a name in NFC, whichever form the operating system gave it in', async () => {
    const { body } = await t.params({ size: '5' }, { filename: 'U\u0308berblick.txt' }).expect(200);
    expect(body.key).toMatch(/-\u00dcberblick\.txt$/);
  });

  it('and looks at nothing else that a page keeps with a file', async () => {
    const more = { name: 'a.txt', type: 'text/plain', relativePath: 'null', caption: 'Größe', 'a]b[c': '', bucket: '' };
    await t.params({ ...more, size: '5' }).expect(200);
    // Neither is it stored with the object.
    const { body } = await t.params({ ...more, size: '5' }).expect(200);
    expect(JSON.stringify([body.headers, body.url])).not.toContain('caption');
  });

  it('in the only bucket that the caller may write to, where none is named', async () => {
    const admin = callsBy(t.installation.api, t.tenant.admin);
    const { body } = await t.params({ size: '5' }).expect(200);
    expect(body.bucket).toBe('files');
    const other = `bucket-${randomUUID()}`;
    await admin.post('/buckets', { ...storeBucket(), name: other }).expect(201);
    // One more, in which alice may read and not write.
    const grant = { bucket: other, subject: { type: 'user', id: 'alice' }, prefix: '', actions: ['read'] };
    await admin.post('/grants', grant).expect(201);
    expect((await t.params({ size: '5' }).expect(200)).body.bucket).toBe('files');
    await admin.post('/grants', { ...grant, actions: ['write'] }).expect(201);
    const { body: problem } = await t.params({ size: '5' }).expect(400);
    expect(problem.errors).toMatchObject([{ pointer: '/metadata/bucket' }]);
  });

  it('for as long as the page asked, within the use case', async () => {
    const { body } = await t
      .params({ bucket: 'files', size: '5', useCase: 'free', expiresInSeconds: '120' })
      .expect(200);
    expect(new URL(body.url).searchParams.get('X-Amz-Expires')).toBe('120');
  });

  it('on a GET, which a browser may ask for from any page that CORS names', async () => {
    const { origin } = new URL('http://localhost:5173');
    const headers = { Origin: origin, 'Access-Control-Request-Method': 'GET' };
    const preflight = (asked: string) =>
      t.installation.api
        .options(`${PATH}/params`)
        .set({ ...headers, 'Access-Control-Request-Headers': asked })
        .expect(204);
    for (const asked of ['authorization', 'authorization,content-type']) {
      const { headers: answered } = await preflight(asked);
      expect(answered['access-control-allow-headers']).toMatch(/Authorization, Content-Type/);
    }
  });
});

function conditionsOf({ fields }: { fields: Record<string, string> }): unknown[] {
  const policy = Buffer.from(fields['Policy'] ?? fields['policy'] ?? '', 'base64').toString();
  return (JSON.parse(policy) as { conditions: unknown[] }).conditions;
}
