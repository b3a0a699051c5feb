import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { install, type Installation, type Tenant } from '../../support/installation.js';
import { BAD_BODIES, BAD_EXPIRIES, BAD_KEYS } from '../bad-values.js';
import { itemsOf } from '../batches.js';
import { callsBy, pointersOf } from '../calls.js';

const good = { bucket: 'files', key: 'a' };

describe('POST /download-urls answers 400', () => {
  let installation: Installation;
  let tenant: Tenant;

  beforeAll(async () => {
    installation = await install();
    tenant = await installation.createTenant();
    await tenant.grant({ subject: { type: 'everyone' }, prefix: '' });
  });
  afterAll(() => installation.close());

  const calls = () => callsBy(installation.api, tenant.token('alice'));

  describe('for the whole', () => {
    async function expectRefused(body: object, pointers: string[]) {
      const response = await calls().post('/download-urls', body);
      expect([response.status, response.body.code, pointersOf(response)]).toEqual([400, 'invalid-request', pointers]);
      expect(response.headers['content-type']).toBe('application/problem+json; charset=utf-8');
    }

    it.each([undefined, null, 'a', 1, {}, { 0: good, length: 1 }, []])('where items is %j', (items) =>
      expectRefused({ items }, ['/items']),
    );

    it('where there is one item too many', async () => {
      const items = Array.from({ length: 1_000 }, () => good);
      await calls().post('/download-urls', { items }).expect(200);
      await expectRefused({ items: [...items, good] }, ['/items']);
    });

    it('where there is anything beside the items', () =>
      expectRefused({ items: [good], bucket: 'files' }, ['/bucket']));

    it.each(['__proto__', 'constructor', 'prototype'])('where there is %s beside them', async (name) => {
      const response = await calls().postBytes('/download-urls', `{"items":[{"bucket":"b","key":"k"}],"${name}":{}}`);
      expect([response.status, pointersOf(response)]).toEqual([400, [`/${name}`]]);
    });

    it.each(BAD_BODIES)('where the body is %s', async (_, body) => {
      const { status, body: problem } = await calls().postBytes('/download-urls', body);
      expect([status, problem.code]).toEqual([400, 'invalid-request']);
    });

    // Attack: three bytes a value, of which a parser makes hundreds of megabytes.
    it.each(['[]', '{}', '1', '""'])('where it holds millions of %s, soon and without growing', async (value) => {
      const values = Array.from({ length: 5_000_000 }, () => value).join(',');
      const body = Buffer.from(`{"items":[${values}]}`);
      const before = process.memoryUsage().heapUsed;
      const { body: problem } = await calls().postBytes('/download-urls', body).expect(400);
      expect(problem.code).toBe('invalid-request');
      expect(process.memoryUsage().heapUsed - before).toBeLessThan(100e6);
    });
  });

  describe('for one item, as the single call does, and issues the others', () => {
    const bad: [what: string, item: unknown, isObject?: false][] = [
      ...BAD_KEYS.map(([what, key]): [string, unknown] => [`a key ${what}`, { ...good, key }]),
      ...BAD_EXPIRIES.map((value): [string, unknown] => [
        `the expiry ${JSON.stringify(value)}`,
        { ...good, expiresInSeconds: value },
      ]),
      ['no field', {}],
      ['unknown fields', { ...good, tenantId: 'x', items: [], 'a/b~c': 1 }],
      [
        'all kinds of faults',
        { key: '/', method: 'PUT', filename: 'a/b', disposition: 'x', contentType: 'x', versionId: '' },
      ],
      ['a field of a prototype', JSON.parse('{"bucket":"files","key":"a","__proto__":{"useCase":"batch"}}')],
      ['a constructor', { ...good, constructor: { name: 'DownloadUrlRequest' } }],
      ['deep nesting', { ...good, key: JSON.parse(`${'['.repeat(40)}${']'.repeat(40)}`) }],
    ];

    it.each(bad)('with %s', async (_, item) => {
      const single = await calls().post('/download-url', item as object);
      expect(single.status).toBe(400);
      const response = await calls()
        .post('/download-urls', { items: [good, item, good] })
        .expect(200);
      const [first, refused, last] = itemsOf(response);
      expect([first?.status, refused?.status, last?.status]).toEqual([201, 400, 201]);
      expect(refused?.body).toEqual({ ...single.body, requestId: response.headers['x-request-id'] });
    });

    it.each([null, 1, 'a', true, [], [good]])('that is %j', async (item) => {
      const [first, refused, last] = itemsOf(
        await calls()
          .post('/download-urls', { items: [good, item, good] })
          .expect(200),
      );
      expect([first?.status, refused?.status, last?.status]).toEqual([201, 400, 201]);
      expect(refused?.body).toMatchObject({
        code: 'invalid-request',
        detail: 'The item must be a JSON object.',
        errors: [{ pointer: '', message: 'must be an object' }],
      });
    });
  });
});
