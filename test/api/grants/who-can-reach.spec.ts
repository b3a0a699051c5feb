import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { install, type Installation, type Tenant } from '../../support/installation.js';

describe('GET /grants?key= says who can reach an object', () => {
  let installation: Installation;
  let tenant: Tenant;
  const names = new Map<string, string>();
  const who = async (query: Record<string, string>) => {
    const { body } = await installation.api
      .get('/grants')
      .query(query)
      .auth(tenant.admin, { type: 'bearer' })
      .expect(200);
    return (body as { items: { id: string }[] }).items.map(({ id }) => names.get(id));
  };

  beforeAll(async () => {
    installation = await install();
    tenant = await installation.createTenant();
    const everyone = { type: 'everyone' };
    const grants = {
      'own folder': { subject: everyone, prefix: 'users/{sub}/' },
      'own drafts': { subject: everyone, prefix: 'users/{sub}/drafts/' },
      'own team folder': { subject: everyone, prefix: 'users/team-{sub}-x/' },
      staff: { subject: { type: 'group', id: 'staff' }, prefix: '' },
      alice: { subject: { type: 'user', id: 'alice' }, key: 'users/bob/a' },
      'nobody else': { subject: { type: 'user', id: 'alice' }, prefix: 'users/1/' },
      'not carol': { subject: { type: 'user', id: 'carol' }, prefix: 'users/', effect: 'deny' },
    };
    for (const [name, grant] of Object.entries(grants)) names.set(await tenant.grant(grant), name);
  });
  afterAll(() => installation.close());

  it('by exact keys, prefixes of whole segments, and prefixes that hold {sub}', async () => {
    expect(await who({ bucket: 'files', key: 'users/bob/a' })).toEqual(['own folder', 'staff', 'alice', 'not carol']);
    expect(await who({ bucket: 'files', key: 'users/bob/drafts/a' })).toEqual([
      'own folder',
      'own drafts',
      'staff',
      'not carol',
    ]);
    expect(await who({ bucket: 'files', key: 'users/team-red-x/a' })).toEqual([
      'own folder',
      'own team folder',
      'staff',
      'not carol',
    ]);
    expect(await who({ bucket: 'files', key: 'users/10/a' })).toEqual(['own folder', 'staff', 'not carol']);
    expect(await who({ bucket: 'files', key: 'users/a' })).toEqual(['staff', 'not carol']);
  });

  it('for one user or group, where that is asked', async () => {
    expect(await who({ bucket: 'files', key: 'users/bob/a', subject: 'alice' })).toEqual(['alice']);
    expect(await who({ subject: 'staff' })).toEqual(['staff']);
    expect(await who({ subject: 'nobody' })).toEqual([]);
    expect(await who({ bucket: 'nowhere', key: 'users/bob/a' })).toEqual([]);
  });
});
