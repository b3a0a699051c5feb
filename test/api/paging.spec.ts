import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { install, type Installation, type Tenant } from '../support/installation.js';
import { callsBy, pointersOf } from './calls.js';

const LISTS = ['/grants', '/use-cases', '/buckets', '/tenants', '/issuers', '/audit-events'];

describe('Every list', () => {
  let installation: Installation;
  let tenant: Tenant;

  beforeAll(async () => {
    installation = await install();
    tenant = await installation.createTenant();
    await tenant.grant({ subject: { type: 'everyone' }, prefix: '' });
    await installation.createTenant();
  });
  afterAll(() => installation.close());

  const get = (path: string, query: string) => {
    const token = ['/tenants', '/issuers'].includes(path)
      ? installation.operator
      : tenant.token('reader', 'admin:tenant read:audit');
    return callsBy(installation.api, token).get(path, query);
  };

  it.each(LISTS)('%s answers 400 to a bad limit', async (path) => {
    for (const limit of ['0', '201', '-1', 'abc', '', '1.5', '1e1', '0x10', ' 1', '9999999999', 'null', '1&limit=2']) {
      const response = await get(path, `limit=${limit}`);
      expect([limit, response.status, pointersOf(response)]).toEqual([limit, 400, ['/limit']]);
    }
    for (const limit of ['1', '200']) await get(path, `limit=${limit}`).expect(200);
  });

  it.each(LISTS)('%s answers 400 to a parameter that it does not know', async (path) => {
    for (const name of ['offset', 'tenant', 'Limit', 'limit[]', '__proto__', 'constructor', 'toString']) {
      const response = await get(path, `${encodeURIComponent(name)}=1`);
      expect([name, response.status, pointersOf(response)]).toEqual([name, 400, [`/${name}`]]);
    }
  });

  it.each(LISTS)('%s answers 400 to a cursor that was not its own', async (path) => {
    // Attack: a cursor is what a client can change most easily into something that a query was not made for.
    const wrap = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const instants = ['2026-01-01T00:00:00.000Z', '-1', '1e3', '', '999999999999999', "' OR 1=1"];
    const id = '00000000-0000-4000-8000-000000000000';
    const cursors = [
      '',
      'x',
      '%00',
      '=',
      'null',
      wrap(null),
      wrap([]),
      wrap({}),
      wrap([1]),
      wrap([null]),
      wrap([['a']]),
      wrap(['a', 'b', 'c']),
      wrap(['\0']),
      wrap(["a'; DROP TABLE ledger; --"]),
      wrap([{ gt: '' }]),
      ...instants.map((instant) => wrap([instant, id])),
      wrap(['1', 'x']),
      'A'.repeat(513),
      'a&cursor=b',
    ];
    for (const cursor of cursors) {
      const response = await get(path, `cursor=${cursor}`);
      expect([cursor, response.status, pointersOf(response)]).toEqual([cursor, 400, ['/cursor']]);
    }
  });

  it.each(['/use-cases', '/tenants', '/issuers', '/audit-events'])(
    '%s comes whole and in one order, whatever the size of its pages',
    async (path) => {
      const pages = async (limit: number, most: number) => {
        const items: unknown[] = [];
        let cursor: string | null = null;
        do {
          const page: { body: { items: unknown[]; nextCursor: string | null } } = await get(
            path,
            `limit=${limit}${cursor === null ? '' : `&cursor=${cursor}`}`,
          ).expect(200);
          expect(page.body.items.length).toBeLessThanOrEqual(limit);
          items.push(...page.body.items);
          cursor = page.body.nextCursor;
        } while (cursor !== null && items.length < most);
        return items.slice(0, most);
      };
      // Other specs make tenants meanwhile; what is past the first ones cannot be compared.
      const most = path === '/tenants' || path === '/issuers' ? 3 : 100;
      const one = await pages(1, most);
      expect(one.length).toBeGreaterThanOrEqual(2);
      if (most === 100) expect(await pages(200, most)).toEqual(one);
      expect(new Set(one.map((item) => JSON.stringify(item))).size).toBe(one.length);
    },
  );
});
