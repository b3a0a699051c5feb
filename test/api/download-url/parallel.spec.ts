import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { install, type Installation, type Tenant } from '../../support/installation.js';
import { asOwner, callsBy } from '../calls.js';

/** Requests that wait together are read by one statement and recorded by one. */
describe('Issuing calls that come at the same time', () => {
  let installation: Installation;
  let tenants: Tenant[];

  beforeAll(async () => {
    installation = await install();
    tenants = await Promise.all([1, 2, 3].map((n) => installation.createTenant({ keyPrefix: `tenant-${n}/` })));
    for (const tenant of tenants) await tenant.grant({ subject: { type: 'everyone' }, prefix: 'users/{sub}/' });
  });
  afterAll(() => installation.close());

  it('each get their own answer and their own ledger row', async () => {
    // Attack: one tenant's answer in another one's hands, by a slip in the places of a batch.
    const run = randomUUID();
    const wishes = Array.from({ length: 300 }, (_, n) => {
      const place = n % tenants.length;
      const key = `users/user-${n % 7 === 0 ? 'nobody' : n}/${run}-${n}`;
      const expiresInSeconds = n % 11 === 0 ? 1 : 60 + n;
      return { tenant: tenants[place]!, prefix: `tenant-${place + 1}/`, subject: `user-${n}`, key, expiresInSeconds };
    });
    const answers = await Promise.all(
      wishes.map(({ tenant, subject, key, expiresInSeconds }) =>
        callsBy(installation.api, tenant.token(subject)).post('/download-url', {
          bucket: 'files',
          key,
          expiresInSeconds,
        }),
      ),
    );

    const rows = await asOwner<{ key: string; issuance_id: string | null; decision: string }>(
      `SELECT l.*, t.slug FROM ledger l JOIN tenants t ON t.id = l.tenant_id WHERE l.key LIKE '%' || $1 || '%'`,
      [run],
    );
    expect(rows).toHaveLength(300);
    const rowOf = new Map(rows.map((row) => [row.key, row]));
    for (const [n, { status, body }] of answers.entries()) {
      const { tenant, prefix, subject, key, expiresInSeconds } = wishes[n]!;
      const reason = n % 7 === 0 ? 'not-granted' : n % 11 === 0 ? 'expiry-out-of-range' : null;
      expect(rowOf.get(key)).toMatchObject({ slug: tenant.slug, subject, reason, request_id: expect.any(String) });
      if (reason === null) {
        expect(status).toBe(201);
        expect(body).toMatchObject({ key, expiresInSeconds, issuanceId: rowOf.get(key)?.issuance_id });
        expect(body.url.split('?')[0]).toContain(`/${prefix}${key}`);
      } else {
        expect(body).toMatchObject({ code: reason, requestId: (rowOf.get(key) as { request_id?: string }).request_id });
      }
    }
    const issuances = answers.filter(({ status }) => status === 201).map(({ body }) => body.issuanceId);
    expect(new Set(issuances).size).toBe(issuances.length);
    expect(issuances.length).toBeGreaterThan(200);
  });
});
