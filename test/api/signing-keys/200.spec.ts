import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Followed, RotationTest } from '../rotations/rotation-fixture.js';

interface Listed {
  items: { id: string; accessKeyId: string; state: string; lastIssuedAt: string | null; exposure: object }[];
  nextCursor: string | null;
}

describe('GET /signing-keys', () => {
  let t: RotationTest;
  const list = async (query: Record<string, string> = {}) =>
    (await t.admin.get('/signing-keys', query).expect(200)).body as Listed;
  beforeAll(async () => {
    t = await RotationTest.start();
  });
  afterAll(() => t.stop());

  it('shows a key that has signed nothing', async () => {
    const { items } = await list();
    expect(items).toEqual([
      {
        id: expect.any(String),
        bucket: 'files',
        accessKeyId: t.firstKey.accessKeyId,
        state: 'active',
        createdAt: expect.any(String),
        lastIssuedAt: null,
        exposure: { liveUrls: 0, subjects: 0, latestExpiresAt: null },
      },
    ]);
  });

  it('counts live URLs and their users, straight from the ledger; refusals and what has expired do not count', async () => {
    await t.url({ expiresInSeconds: 1 });
    await t.url({ expiresInSeconds: 300 });
    await t.url({ expiresInSeconds: 200 });
    const { api } = t.installation;
    const refused = { bucket: 'files', key: 'users/bob/a' };
    await api.post('/download-url').auth(t.tenant.token('alice'), { type: 'bearer' }).send(refused).expect(403);
    await new Promise((resolve) => setTimeout(resolve, 1_100));

    const rows = await t.tenant.events({ action: 'download-url', decision: 'granted' });
    const live = rows.filter(({ expiresAt }) => Date.parse(String(expiresAt)) > Date.now());
    const latest = live.map(({ expiresAt }) => String(expiresAt)).toSorted();
    const { items } = await list();
    expect(items[0]?.exposure).toEqual({ liveUrls: live.length, subjects: 1, latestExpiresAt: latest.at(-1) });
    expect(live).toHaveLength(2);
    expect(items[0]?.lastIssuedAt).toBe(rows[0]?.['at']);
  });

  it('leaves out a rotation’s own URLs, and shows every key by page, newest first', async () => {
    const credential = await t.makeKey();
    const { id } = (await t.rotate('graceful', { credential }).expect(202)).body as Followed;
    await t.until(id, ({ waitingFor }) => waitingFor !== null);
    const own = await t.tenant.events({ subject: 'system:rotation', action: 'download-url' });
    expect(own.length).toBeGreaterThan(0);
    expect(own.every(({ details }) => (details as { rotationId: string }).rotationId === id)).toBe(true);

    const [next, old] = (await list({ bucket: 'files' })).items;
    expect(next).toMatchObject({ accessKeyId: credential.accessKeyId, state: 'active', lastIssuedAt: null });
    expect(next?.exposure).toMatchObject({ liveUrls: 0 });
    expect(old).toMatchObject({ accessKeyId: t.firstKey.accessKeyId, state: 'retiring', exposure: { liveUrls: 2 } });

    const first = await list({ limit: '1' });
    const second = await list({ limit: '1', cursor: String(first.nextCursor) });
    expect([first.items[0]?.id, second.items[0]?.id]).toEqual([next?.id, old?.id]);
    expect(second.nextCursor).toBeNull();
    expect((await list({ bucket: 'other' })).items).toEqual([]);
    await t.admin.get('/signing-keys', { cursor: 'bm90IG91cnM' }).expect(400);
    await t.admin.get('/signing-keys', { state: 'active' }).expect(400);
  });

  it('is the administrator’s: nobody else reads which keys there are', async () => {
    await t.installation.api.get('/signing-keys').expect(401);
    await t.installation.api.get('/signing-keys').auth(t.tenant.token('alice'), { type: 'bearer' }).expect(403);
    const neighbour = await t.installation.createTenant();
    const theirs = await t.installation.api.get('/signing-keys').auth(neighbour.admin, { type: 'bearer' }).expect(200);
    expect((theirs.body as Listed).items.map(({ accessKeyId }) => accessKeyId)).not.toContain(t.firstKey.accessKeyId);
  });
});
