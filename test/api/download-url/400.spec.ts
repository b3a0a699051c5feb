import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { install, type Installation, type Tenant } from '../../support/installation.js';
import { BAD_BODIES, BAD_EXPIRIES, BAD_KEYS } from '../bad-values.js';
import { callsBy, pointersOf } from '../calls.js';

describe('POST /download-url answers 400', () => {
  let installation: Installation;
  let tenant: Tenant;
  const good = { bucket: 'files', key: 'a' };

  beforeAll(async () => {
    installation = await install();
    tenant = await installation.createTenant();
    await tenant.grant({ subject: { type: 'everyone' }, prefix: '' });
  });
  afterAll(() => installation.close());

  const post = (body: object | string) =>
    callsBy(installation.api, tenant.token('alice'))
      .post('/download-url', body)
      .set('content-type', 'application/json');

  async function expectRefused(body: object | string, pointers: string[]) {
    const response = await post(body);
    expect([response.status, response.body.code]).toEqual([400, 'invalid-request']);
    expect(response.headers['content-type']).toBe('application/problem+json; charset=utf-8');
    expect(response.body.requestId).toBe(response.headers['x-request-id']);
    expect(pointersOf(response)).toEqual(pointers);
    for (const { message } of response.body.errors ?? []) expect(message).toMatch(/^[a-z"].{5,}/);
  }

  it('while the body that the bad ones below are made of is taken', () => post(good).expect(201));

  it.each(BAD_KEYS)('for a key %s, naming it', (_, key) => expectRefused({ ...good, key }, ['/key']));

  it.each(BAD_EXPIRIES)('for an expiry of %j', (expiresInSeconds) =>
    expectRefused({ ...good, expiresInSeconds }, ['/expiresInSeconds']),
  );

  it('for an expiry too large to be a number', () =>
    expectRefused('{"bucket":"files","key":"a","expiresInSeconds":1e400}', ['/expiresInSeconds']));

  // Attack: response splitting, or another file than the one that is shown.
  it.each([
    'a\r\nSet-Cookie: a=b',
    'a\nb',
    'a\0.txt',
    'a/b',
    '..',
    '.',
    '',
    'a\\b',
    '\ud800',
    'e\u0301',
    '\u0085',
    'a'.repeat(1025),
    null,
    5,
  ])('for the filename %j', (filename) => expectRefused({ ...good, filename }, ['/filename']));

  it.each([
    'text/html\r\nX: y',
    'text',
    'text/',
    '/html',
    'text/html,x/y',
    'a/b; c',
    `a/${'b'.repeat(255)}`,
    '',
    null,
    1,
  ])('for the content type %j', (contentType) => expectRefused({ ...good, contentType }, ['/contentType']));

  it.each([
    ['method', 'PUT'],
    ['method', 'get'],
    ['method', null],
    ['disposition', 'Inline'],
    ['disposition', null],
    ['versionId', ''],
    ['versionId', 'a b'],
    ['versionId', 'a\r\n'],
    ['versionId', null],
    ['useCase', ''],
    ['useCase', null],
    ['useCase', '\0'],
    ['bucket', ''],
    ['bucket', undefined],
    ['bucket', null],
    ['bucket', '\ud800'],
    ['bucket', 'a'.repeat(256)],
    ['bucket', ['files']],
    ['withHead', 'true'],
    ['withHead', null],
    ['stable', 1],
    ['stable', null],
  ])('for the %s %j', (field, value) => expectRefused({ ...good, [field]: value }, [`/${field}`]));

  it('for a HEAD that is to come with a HEAD, naming the field', () =>
    expectRefused({ ...good, method: 'HEAD', withHead: true }, ['/withHead']));

  it('for fields that it does not know, all at once', async () => {
    // Attack: a tenant, a subject or terms that come from the body.
    const unknown = { tenant: 'other', tenantId: 'x', subject: 'bob', 'a/b~c': 1, url: 'http://x', contentLength: 1 };
    const pointers = ['/tenant', '/tenantId', '/subject', '/a~1b~0c', '/url', '/contentLength'];
    await expectRefused({ ...good, ...unknown }, pointers);
  });

  it('for all that is wrong, at once', () =>
    expectRefused({ bucket: '', key: '..', expiresInSeconds: '60' }, ['/bucket', '/key', '/expiresInSeconds']));

  // Attack: names that reach an object's prototype where code copies properties.
  it.each(['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'valueOf'])(
    'for a field %s, at any depth',
    async (name) => {
      await expectRefused(`{"bucket":"files","key":"a","${name}":{"useCase":"batch"}}`, [`/${name}`]);
      await expectRefused(`{"bucket":"files","key":{"${name}":1}}`, [`/key/${name}`]);
      await expectRefused(`{"\\u00${name.charCodeAt(0).toString(16)}${name.slice(1)}":1}`, [`/${name}`]);
    },
  );

  it.each(BAD_BODIES)('for %s', async (_, body) => {
    const response = await callsBy(installation.api, tenant.token('alice')).postBytes('/download-url', body);
    expect([response.status, response.body.code]).toEqual([400, 'invalid-request']);
  });

  it('for nesting that would overflow the stack of whatever walks it', async () => {
    // Attack: a small body that ends the process.
    const depth = 30_000;
    const lists = await post(`{"key":${'['.repeat(depth)}${']'.repeat(depth)}}`);
    expect([lists.status, lists.body.code]).toEqual([400, 'invalid-request']);
    const objects = await post(`${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`);
    expect([objects.status, objects.body.code]).toEqual([400, 'invalid-request']);
  });

  it('and leaves no row in the ledger', async () => {
    await post(good).expect(201);
    const rows = await tenant.events({ subject: 'alice', limit: '200' });
    expect(rows.filter(({ decision }) => decision === 'refused')).toEqual([]);
    expect(rows.every(({ key }) => key === 'a')).toBe(true);
  });
});
