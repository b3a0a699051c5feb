import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { install, type Installation, type Tenant } from '../../support/installation.js';
import { callsBy, pointersOf } from '../calls.js';

/** Limits, cursors and unknown parameters are every list's: see paging.spec.ts. */
describe('GET /audit-events answers 400', () => {
  let installation: Installation;
  let tenant: Tenant;

  beforeAll(async () => {
    installation = await install();
    tenant = await installation.createTenant();
  });
  afterAll(() => installation.close());

  it.each([
    ['decision', 'maybe'],
    ['decision', ''],
    ['decision', 'granted&decision=refused'],
    ['subject', ''],
    ['subject', '%00'],
    ['subject', 'a&subject=b'],
    ['subject', 'a'.repeat(256)],
    ['bucket', ''],
    ['bucket', '%00'],
    ['action', ''],
    ['action', '%07'],
    ['key', '%00'],
    ['key', 'a'.repeat(1025)],
    ['key', 'a&key=b'],
    ['from', ''],
    ['from', 'yesterday'],
    ['from', '2026-01-01'],
    ['from', '2026-01-01T00:00:00'],
    ['from', '2026-01-01T00:00:00%2B99:00'],
    ['from', '0000-01-01T00:00:00Z'],
    ['from', '2026-02-30T00:00:00Z'],
    ['to', '9999-12-31T23:59:59-01:00'],
    ['to', '10000-01-01T00:00:00Z'],
    ['to', '2026-01-01T00:00:00Z&to=2026-01-01T00:00:00Z'],
  ])('for %s=%s', async (name, value) => {
    const response = await callsBy(installation.api, tenant.auditor).get('/audit-events', `${name}=${value}`);
    expect([response.status, response.body.code, pointersOf(response)]).toEqual([400, 'invalid-request', [`/${name}`]]);
  });

  it.each([["'; DROP TABLE ledger; --"], ['\\'], ['%25'], ['🙂']])(
    'not for the text %j, which is only looked up',
    async (text) => {
      for (const name of ['subject', 'bucket', 'action', 'key']) {
        const { body } = await callsBy(installation.api, tenant.auditor)
          .get('/audit-events', { [name]: text })
          .expect(200);
        expect(body).toEqual({ items: [], nextCursor: null });
      }
    },
  );
});
