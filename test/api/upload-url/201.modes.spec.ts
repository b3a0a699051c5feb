import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { install, type Installation, type Tenant } from '../../support/installation.js';
import { asOwner, callsBy } from '../calls.js';

const MIB = 1024 ** 2;

describe('POST /upload-url answers 201 in each mode', () => {
  let installation: Installation;
  let tenant: Tenant;

  beforeAll(async () => {
    installation = await install();
    // A store that is never asked, unless an upload in parts is started.
    tenant = await installation.createTenant({ endpoint: 'http://127.0.0.1:9', bucket: 'acme', keyPrefix: 'root/' });
    await tenant.grant({ subject: { type: 'everyone' }, prefix: '' });
    const strict = { action: 'write', minExpirySeconds: 1, defaultExpirySeconds: 60, maxExpirySeconds: 60 };
    await callsBy(installation.api, tenant.admin)
      .put('/use-cases/strict', { ...strict, overwrite: true, requireVerified: true })
      .expect(201);
  });
  afterAll(() => installation.close());

  const ask = (body: object, by = tenant) =>
    callsBy(installation.api, by.token('alice')).post('/upload-url', {
      bucket: 'files',
      contentType: 'image/png',
      ...body,
    });
  const rowOf = async (id: string) =>
    (await asOwner<Record<string, unknown>>('SELECT * FROM uploads WHERE id = $1', [id]))[0];

  it('post: a form for exactly this key and type, within this range, that says it protects nothing', async () => {
    const contentLengthRange = { min: 1, max: 5 * MIB };
    const checksumSha256 = `${'A'.repeat(43)}=`;
    const { body, headers } = await ask({ key: 'a.png', mode: 'post', contentLengthRange, checksumSha256 }).expect(201);
    expect(headers['cache-control']).toBe('no-store');
    expect(body).toEqual({
      issuanceId: body.uploadId,
      uploadId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      mode: 'post',
      method: 'POST',
      url: 'http://127.0.0.1:9/acme',
      headers: {},
      fields: expect.any(Object),
      contentLengthRange,
      overwriteProtected: false,
      bucket: 'files',
      key: 'a.png',
      useCase: 'upload',
      issuedAt: expect.any(String),
      expiresAt: expect.any(String),
      expiresInSeconds: 900,
      expiryLimitedBy: null,
    });
    expect(body.fields).toMatchObject({
      key: 'root/a.png',
      'Content-Type': 'image/png',
      acl: 'private',
      'x-amz-checksum-sha256': checksumSha256,
      'x-amz-meta-countersign-upload': body.uploadId,
    });
    const { expiration, conditions } = JSON.parse(Buffer.from(body.fields.Policy, 'base64').toString());
    expect(Date.parse(expiration)).toBe(Date.parse(body.expiresAt));
    expect(conditions).toContainEqual(['content-length-range', 1, 5 * MIB]);
    expect(JSON.stringify(conditions)).not.toContain('starts-with');

    const [event] = await tenant.events({ key: 'a.png' });
    expect(event).toMatchObject({
      issuanceId: body.uploadId,
      url: 'http://127.0.0.1:9/acme',
      contentLength: null,
      urlCount: null,
      details: { method: 'POST', mode: 'post', overwrite: false, contentLengthRange, checksumSha256 },
    });
    // Attack: what the form is signed with, on record.
    expect(JSON.stringify(event)).not.toContain(body.fields['X-Amz-Signature']);
    expect(await rowOf(body.uploadId)).toMatchObject({
      mode: 'post',
      content_length: null,
      min_content_length: '1',
      max_content_length: String(5 * MIB),
      checksum_sha256: checksumSha256,
    });
  });

  it('auto: a form where there is a range, and one PUT for a size that goes into one', async () => {
    const form = await ask({ key: 'auto', mode: 'auto', contentLengthRange: { min: 0, max: 0 } }).expect(201);
    expect(form.body).toMatchObject({ mode: 'post', contentLengthRange: { min: 0, max: 0 } });
    const put = await ask({ key: 'auto', mode: 'auto', contentLength: 64 * MIB }).expect(201);
    expect(put.body).toMatchObject({ mode: 'put', method: 'PUT', contentLength: 64 * MIB, overwriteProtected: true });
  });

  it('post: the type that a browser would run is stored as an attachment', async () => {
    const page = { key: 'a.html', mode: 'post', contentType: 'text/html', contentLengthRange: { min: 1, max: 9 } };
    const { body } = await ask(page).expect(201);
    expect(body.fields['Content-Disposition']).toBe('attachment');
    expect(await rowOf(body.uploadId)).toMatchObject({ disposition: 'attachment' });
  });

  it('put: with a row that knows all that was promised, made with the ledger’s', async () => {
    const wish = { key: 'strict.svg', contentType: 'image/svg+xml', contentLength: 7, useCase: 'strict' };
    const { body } = await ask({ ...wish, overwrite: true }).expect(201);
    const [event] = await tenant.events({ key: 'strict.svg' });
    const row = await rowOf(body.uploadId);
    expect(row).toMatchObject({
      subject: 'alice',
      bucket: 'files',
      key: 'strict.svg',
      use_case: 'strict',
      mode: 'put',
      state: 'pending',
      content_type: 'image/svg+xml',
      content_length: '7',
      checksum_sha256: null,
      overwrite: true,
      disposition: 'attachment',
      part_size: null,
      withheld: true,
      created_at: new Date(String(event?.['at'])),
      expires_at: new Date(body.expiresAt),
      due_at: new Date(body.expiresAt),
    });
    const plain = await ask({ key: 'plain', contentLength: 7 }).expect(201);
    expect(await rowOf(plain.body.uploadId)).toMatchObject({ withheld: false, overwrite: false, disposition: null });
  });

  it('not for an upload in parts that the store does not begin: 503, though it is on record', async () => {
    const wish = { key: 'parts', mode: 'multipart', contentLength: 17 * MIB };
    const response = await ask(wish).expect(503);
    expect(response.body.code).toBe('store-unavailable');
    expect(Number(response.headers['retry-after'])).toBeGreaterThan(0);
    const [event] = await tenant.events({ key: 'parts' });
    expect(event).toMatchObject({ decision: 'granted', urlCount: 0, url: 'http://127.0.0.1:9/acme/root/parts' });
    const row = await rowOf(String(event?.['issuanceId']));
    expect(row).toMatchObject({ mode: 'multipart', part_size: String(8 * MIB), part_count: 3, store_upload_id: null });
  });

  it('multipart: parts of the service’s choice, begun at the store and without a URL', async () => {
    const own = await installation.createTenant();
    await own.grant({ subject: { type: 'everyone' }, prefix: '' });
    const { body } = await ask({ key: 'big', mode: 'auto', contentLength: 64 * MIB + 1 }, own).expect(201);
    expect(body).toEqual({
      issuanceId: body.uploadId,
      uploadId: expect.any(String),
      mode: 'multipart',
      method: 'PUT',
      headers: {},
      contentLength: 64 * MIB + 1,
      partSize: 8 * MIB,
      partCount: 9,
      overwriteProtected: true,
      bucket: 'files',
      key: 'big',
      useCase: 'upload',
      issuedAt: expect.any(String),
      expiresAt: expect.any(String),
      expiresInSeconds: 900,
      expiryLimitedBy: null,
    });
    expect(await rowOf(body.uploadId)).toMatchObject({
      store_upload_id: expect.any(String),
      due_at: new Date(body.expiresAt),
    });
    const [event] = await own.events({ key: 'big' });
    expect(event).toMatchObject({ urlCount: 0, contentLength: 64 * MIB + 1, details: { mode: 'multipart' } });
  });

  it('and a refusal begins no upload', async () => {
    const refused = { key: 'refused', contentLength: 7, useCase: 'strict', expiresInSeconds: 61 };
    await ask(refused).expect(422);
    await ask({ ...refused, bucket: 'nowhere' }).expect(404);
    const rows = await asOwner(
      `SELECT FROM uploads WHERE key = 'refused' AND created_at > now() - interval '1 minute'`,
    );
    expect(rows).toEqual([]);
    expect(await tenant.events({ key: 'refused' })).toMatchObject([{ decision: 'refused' }, { decision: 'refused' }]);
  });
});
