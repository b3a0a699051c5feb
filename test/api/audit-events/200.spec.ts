import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { install, type Installation, type Tenant } from '../../support/installation.js';
import { asOwner, callsBy } from '../calls.js';

interface Event {
  id: string;
  at: string;
  subject: string;
  action: string;
  decision: string;
  bucket: string | null;
  key: string | null;
}

describe('GET /audit-events answers 200', () => {
  let installation: Installation;
  let tenant: Tenant;
  let all: Event[];

  beforeAll(async () => {
    installation = await install();
    tenant = await installation.createTenant();
    await tenant.grant({ subject: { type: 'everyone' }, prefix: 'users/{sub}/' });
    for (const [subject, bucket, key] of [
      ['alice', 'files', 'users/alice/a'],
      ['alice', 'files', 'users/bob/a'],
      ['bob', 'files', 'users/bob/a'],
      ['bob', 'nowhere', 'users/bob/a'],
      ['%_', 'files', 'users/%_/100%'],
    ] as const) {
      const calls = callsBy(installation.api, tenant.token(subject));
      await calls.post('/download-url', { bucket, key });
      await calls.post('/upload-url', { bucket, key, contentType: 'text/plain', contentLength: 1 });
    }
    all = await list({ limit: '200' });
  });
  afterAll(() => installation.close());

  const list = async (query: Record<string, string>, by = tenant) =>
    (await callsBy(installation.api, by.auditor).get('/audit-events', query).expect(200)).body.items as Event[];

  it('with every row, newest first, and all of its fields', async () => {
    expect(all).toHaveLength(2 * 5 + 4);
    expect(all.map(({ action }) => action).slice(-4)).toEqual([
      'grant.created',
      'bucket.created',
      'issuer.created',
      'tenant.created',
    ]);
    const order = all.map(({ at, id }) => `${at} ${id}`);
    expect(order).toEqual(order.toSorted().toReversed());
    expect(Object.keys(all[0]!).sort()).toEqual([
      'action',
      'at',
      'bucket',
      'clientAddress',
      'contentLength',
      'contentType',
      'decision',
      'details',
      'expiresAt',
      'id',
      'issuanceId',
      'key',
      'reason',
      'requestId',
      'signingKeyId',
      'stableUrls',
      'subject',
      'url',
      'urlCount',
      'useCase',
      'userAgent',
    ]);
  });

  it.each<[Record<string, string>, number]>([
    [{ subject: 'alice' }, 4],
    [{ subject: '%_' }, 2],
    [{ subject: '%' }, 0],
    [{ bucket: 'nowhere' }, 2],
    [{ bucket: 'files' }, 10],
    [{ key: 'users/bob/a' }, 6],
    [{ key: 'users/bob/' }, 0],
    [{ key: 'users/%_/100%' }, 2],
    [{ key: '' }, 0],
    [{ action: 'upload-url' }, 5],
    [{ action: 'grant.created' }, 1],
    [{ action: 'grant' }, 0],
    [{ decision: 'granted' }, 10],
    [{ decision: 'refused' }, 4],
    [{ subject: 'alice', decision: 'refused', action: 'download-url', key: 'users/bob/a', bucket: 'files' }, 1],
  ])('filtered by %j', async (query, count) => {
    const found = await list(query);
    expect(found).toEqual(
      all.filter((event) => Object.entries(query).every(([name, value]) => event[name as keyof Event] === value)),
    );
    expect(found).toHaveLength(count);
  });

  it('from an instant on, and up to but without another', async () => {
    // Rows of one millisecond: no instant falls between them.
    const instant = '2026-01-31T12:00:00.001Z';
    const ids = ['a1', 'a2', 'a3'];
    const own = await installation.createTenant();
    await asOwner(
      `INSERT INTO ledger (at, id, tenant_id, subject, action, decision, request_id)
       SELECT $1::timestamptz + (n - 2) * interval '1 ms', gen_random_uuid(), t.id, s, 'probe', 'granted', 'x'
         FROM tenants t, unnest($3::text[]) WITH ORDINALITY AS u(s, n) WHERE t.slug = $2`,
      [instant, own.slug, ids],
    );
    const subjects = async (query: Record<string, string>) =>
      (await list({ action: 'probe', ...query }, own)).map(({ subject }) => subject);
    await expect(subjects({ from: instant })).resolves.toEqual(['a3', 'a2']);
    await expect(subjects({ to: instant })).resolves.toEqual(['a1']);
    await expect(subjects({ from: instant, to: '2026-01-31T14:00:00.002+02:00' })).resolves.toEqual(['a2']);
    await expect(subjects({ from: instant, to: instant })).resolves.toEqual([]);
    await expect(subjects({ from: '0001-01-01T00:00:00Z', to: '9999-12-31T23:59:59Z' })).resolves.toEqual([
      'a3',
      'a2',
      'a1',
    ]);
  });

  it('page by page, without a gap or a double, though rows of one instant lie across the pages', async () => {
    const own = await installation.createTenant();
    await asOwner(
      `INSERT INTO ledger (at, id, tenant_id, subject, action, decision, request_id)
       SELECT '2026-02-01T00:00:00Z'::timestamptz + (n / 4) * interval '1 ms', gen_random_uuid(), t.id, n::text, 'probe', 'granted', 'x'
         FROM tenants t, generate_series(1, 25) n WHERE t.slug = $1`,
      [own.slug],
    );
    const seen: Event[] = [];
    let cursor: string | null = null;
    do {
      const query: Record<string, string> = { action: 'probe', limit: '3', ...(cursor === null ? {} : { cursor }) };
      const page: { body: { items: Event[]; nextCursor: string | null } } = await callsBy(
        installation.api,
        own.auditor,
      ).get('/audit-events', query);
      seen.push(...page.body.items);
      cursor = page.body.nextCursor;
    } while (cursor !== null);
    expect(new Set(seen.map(({ id }) => id)).size).toBe(25);
    expect(seen).toEqual(await list({ action: 'probe' }, own));
  });

  it("with no row of another tenant's, whatever is asked for", async () => {
    // Attack: filters and cursors that name what another tenant has.
    const other = await installation.createTenant();
    const theirs = await list({ limit: '200' }, other);
    expect(theirs.map(({ action }) => action)).toEqual(['bucket.created', 'issuer.created', 'tenant.created']);
    await expect(list({ subject: 'alice' }, other)).resolves.toEqual([]);
    await expect(list({ key: 'users/bob/a' }, other)).resolves.toEqual([]);
    const { body } = await callsBy(installation.api, tenant.auditor).get('/audit-events', { limit: '1' });
    const beyond = await list({ cursor: body.nextCursor, limit: '200' }, other);
    const mine = new Set(all.map(({ id }) => id));
    expect(beyond.filter(({ id }) => mine.has(id))).toEqual([]);
  });

  it('and never a signature', () => {
    expect(JSON.stringify(all)).toContain('/users/alice/a');
    expect(JSON.stringify(all)).not.toMatch(/X-Amz|[?]|Signature=/i);
  });
});
