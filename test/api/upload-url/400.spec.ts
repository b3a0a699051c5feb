import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { install, type Installation, type Tenant } from '../../support/installation.js';
import { BAD_BODIES, BAD_EXPIRIES, BAD_KEYS } from '../bad-values.js';
import { callsBy, pointersOf } from '../calls.js';

describe('POST /upload-url answers 400', () => {
  let installation: Installation;
  let tenant: Tenant;
  const rest = { bucket: 'files', contentType: 'text/plain', contentLength: 5 };
  const good = { ...rest, key: 'a' };

  beforeAll(async () => {
    installation = await install();
    tenant = await installation.createTenant();
    await tenant.grant({ subject: { type: 'everyone' }, prefix: '' });
  });
  afterAll(() => installation.close());

  const post = (body: object | string) =>
    callsBy(installation.api, tenant.token('alice')).post('/upload-url', body).set('content-type', 'application/json');

  async function expectRefused(body: object | string, pointers: string[]) {
    const response = await post(body);
    expect([response.status, response.body.code, pointersOf(response)]).toEqual([400, 'invalid-request', pointers]);
  }

  it('while the body that the bad ones below are made of is taken', () => post(good).expect(201));

  it.each(BAD_KEYS)('for a key %s, naming it', (_, key) => expectRefused({ ...rest, key }, ['/key']));

  it.each(BAD_EXPIRIES)('for an expiry of %j', (expiresInSeconds) =>
    expectRefused({ ...good, expiresInSeconds }, ['/expiresInSeconds']),
  );

  it.each(['5', -1, 1.5, null, undefined, 2 ** 53, true, [5]])('for the content length %j', (contentLength) =>
    expectRefused({ ...good, contentLength }, ['/contentLength']),
  );

  // Attack: a header that ends early, or that two parties read differently.
  it.each([
    'text/plain\r\nx-amz-acl: public-read',
    'text/plain, text/html',
    'text',
    ' text/plain',
    '',
    null,
    undefined,
    1,
  ])('for the content type %j', (contentType) => expectRefused({ ...good, contentType }, ['/contentType']));

  it.each([
    '',
    'x',
    null,
    'A'.repeat(44),
    `${'A'.repeat(42)}B=`,
    `${'A'.repeat(43)}=\n`,
    `${'-'.repeat(43)}=`,
    'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  ])('for the checksum %j', (checksumSha256) => expectRefused({ ...good, checksumSha256 }, ['/checksumSha256']));

  it.each(['PUT', '', null, 1, ['put']])('for the mode %j', (mode) => expectRefused({ ...good, mode }, ['/mode']));

  it.each([
    null,
    5,
    'x',
    [1, 2],
    {},
    { min: 1 },
    { max: 1 },
    { min: 2, max: 1 },
    { min: -1, max: 1 },
    { min: 0.5, max: 1 },
    { min: 0, max: 2 ** 53 },
    { min: '1', max: 2 },
    { min: 1, max: 2, step: 1 },
  ])('for the range %j', (contentLengthRange) =>
    expectRefused({ ...good, contentLength: undefined, mode: 'post', contentLengthRange }, ['/contentLengthRange']),
  );

  const range = { contentLengthRange: { min: 1, max: 9 } };
  it.each<[string, object, string]>([
    ['neither a length nor a range', { mode: 'auto', contentLength: undefined }, '/contentLength'],
    ['neither in parts', { mode: 'multipart', contentLength: undefined }, '/contentLength'],
    ['both', range, '/contentLengthRange'],
    ['both, by our choice of the mode', { ...range, mode: 'auto' }, '/contentLengthRange'],
    ['a form with a length', { mode: 'post' }, '/contentLength'],
    ['a form with both', { ...range, mode: 'post' }, '/contentLength'],
    ['a form with neither', { mode: 'post', contentLength: undefined }, '/contentLengthRange'],
  ])('for %s', (_, body, pointer) => expectRefused({ ...good, ...body }, [pointer]));

  it.each(['true', 1, null, {}])('for overwrite %j', (overwrite) =>
    expectRefused({ ...good, overwrite }, ['/overwrite']),
  );

  // Attack: parts that are harmless alone and reach elsewhere together.
  it.each<[object, string]>([
    [{ filename: 'a/b' }, '/filename'],
    [{ filename: '../a' }, '/filename'],
    [{ filename: '..' }, '/filename'],
    [{ filename: '' }, '/filename'],
    [{ filename: 'a\r\nb' }, '/filename'],
    [{ filename: null }, '/filename'],
    [{ filename: 'a', prefix: 'x' }, '/prefix'],
    [{ filename: 'a', prefix: '/' }, '/prefix'],
    [{ filename: 'a', prefix: 'x//' }, '/prefix'],
    [{ filename: 'a', prefix: '../' }, '/prefix'],
    [{ filename: 'a', prefix: null }, '/prefix'],
    [{ filename: 'a'.repeat(1000), prefix: `${'b'.repeat(30)}/` }, '/filename'],
    [{ key: 'a', filename: 'b' }, '/filename'],
    [{ key: 'a', prefix: '' }, '/prefix'],
    [{ prefix: 'x/' }, '/key'],
    [{}, '/key'],
  ])('for the name %j', (name, pointer) => expectRefused({ ...rest, ...name }, [pointer]));

  it('for fields that it does not know, and for a download’s', () => {
    const unknown = { tenantId: 'x', acl: 'public-read', method: 'POST', disposition: 'inline', versionId: '1' };
    return expectRefused(
      { ...good, ...unknown },
      Object.keys(unknown).map((name) => `/${name}`),
    );
  });

  it('for all that is wrong, at once', () =>
    expectRefused({ key: '/', contentLength: -1, overwrite: 'yes' }, [
      '/bucket',
      '/key',
      '/contentType',
      '/contentLength',
      '/overwrite',
    ]));

  it.each(BAD_BODIES)('for %s', async (_, body) => {
    const response = await callsBy(installation.api, tenant.token('alice')).postBytes('/upload-url', body);
    expect([response.status, response.body.code]).toEqual([400, 'invalid-request']);
  });

  it('and leaves no row in the ledger', async () => {
    const { body } = await post({ ...good, key: 'the/only/one' }).expect(201);
    const [newest, ...others] = await tenant.events({ subject: 'alice' });
    expect(newest).toMatchObject({ key: 'the/only/one', issuanceId: body.issuanceId });
    expect(others.map(({ key, decision }) => [key, decision])).toEqual([['a', 'granted']]);
  });
});
