import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { install, type Installation, type Tenant } from '../../support/installation.js';
import { callsBy } from '../calls.js';

const POSTS = ['/upload-url', '/download-url', '/grants', '/buckets'];

describe('A body that is too large or no JSON', () => {
  let installation: Installation;
  let tenant: Tenant;

  beforeAll(async () => {
    installation = await install();
    tenant = await installation.createTenant();
    await tenant.grant({ subject: { type: 'everyone' }, prefix: '' });
  });
  afterAll(() => installation.close());

  const good = { bucket: 'files', key: 'a', contentType: 'text/plain', contentLength: 1 };
  const token = () => tenant.token('alice', 'read:objects write:objects admin:tenant');

  it.each(POSTS)('%s: 100 KB of JSON answers 413', async (path) => {
    // Attack: memory and time, for anybody with a token.
    const { body, headers } = await callsBy(installation.api, token()).post(path, {
      ...good,
      key: 'a'.repeat(100_000),
    });
    expect(headers['content-type']).toBe('application/problem+json; charset=utf-8');
    expect(body).toEqual({
      type: '/docs/errors#body-too-large',
      title: 'The request body is too large',
      status: 413,
      code: 'body-too-large',
      detail: 'The request body is larger than the 65536 bytes that this call takes.',
      requestId: headers['x-request-id'],
    });
  });

  it('the limit is 64 KiB, to the byte', async () => {
    const calls = callsBy(installation.api, token());
    const padded = (bytes: number) => JSON.stringify(good).padEnd(bytes, ' ');
    await calls.postBytes('/upload-url', padded(65_536)).expect(201);
    await calls.postBytes('/upload-url', padded(65_537)).expect(413);
  });

  it.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/jsonx',
    'text/json',
  ])('%s answers 415, whatever it holds', async (type) => {
    // Attack: a form of another site's page sends these without asking first (CORS, "simple requests").
    for (const path of POSTS) {
      const calls = callsBy(installation.api, token());
      const { body } = await calls.postBytes(path, JSON.stringify(good)).set('content-type', type);
      expect(body).toMatchObject({ status: 415, code: 'media-type-not-supported' });
    }
  });

  it('JSON with a charset parameter is taken', () =>
    callsBy(installation.api, token())
      .postBytes('/upload-url', JSON.stringify(good))
      .set('content-type', 'Application/JSON; charset=utf-8')
      .expect(201));

  it('neither is looked at before the token', async () => {
    for (const type of ['text/plain', 'a', ';'])
      await installation.api.post('/upload-url').set('content-type', type).send('x').expect(401);
    const large = { ...good, key: 'a'.repeat(100_000) };
    await installation.api.post('/upload-url').send(large).expect(401);
    const { body } = await callsBy(installation.api, tenant.token('alice', 'read:audit'))
      .postBytes('/upload-url', 'x')
      .set('content-type', 'text/plain');
    expect(body).toMatchObject({ status: 403, code: 'scope-missing' });
  });

  it('is no matter to a call that takes none', async () => {
    const large = JSON.stringify('a'.repeat(100_000));
    for (const type of ['application/json', 'text/plain', ';']) {
      const call = installation.api.delete('/grants/none').auth(token(), { type: 'bearer' });
      const { body } = await call.set('content-type', type).send(large);
      expect(body).toMatchObject({ status: 404, code: 'not-found' });
    }
  });
});
