import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { install, type Installation, type Tenant } from '../../support/installation.js';
import { asOwner, callsBy } from '../calls.js';

/** `not-granted`, for both issuing calls. What needs no bucket is in tokens/403; who has nothing at all gets 404. */
describe('An issuing call answers 403', () => {
  let installation: Installation;
  let tenant: Tenant;

  beforeAll(async () => {
    installation = await install();
  });
  afterAll(() => installation.close());
  beforeEach(async () => {
    tenant = await installation.createTenant();
    // So that nobody here has nothing: the answer would be 404.
    await tenant.grant({ subject: { type: 'everyone' }, key: 'public.txt' });
  });

  const download = (key: string, subject = 'alice', claims = {}) =>
    callsBy(installation.api, tenant.token(subject, undefined, claims)).post('/download-url', { bucket: 'files', key });
  const upload = (key: string, subject = 'alice') =>
    callsBy(installation.api, tenant.token(subject)).post('/upload-url', {
      bucket: 'files',
      key,
      contentType: 'text/plain',
      contentLength: 1,
    });
  const alice = { type: 'user', id: 'alice' };
  const everyone = { type: 'everyone' };

  it('as a problem, and with a ledger row of the refusal', async () => {
    const refused = await download('secret.txt').set('user-agent', 'spec/1').expect(403);
    expect(refused.headers['content-type']).toBe('application/problem+json; charset=utf-8');
    expect(refused.body).toEqual({
      type: '/docs/errors#not-granted',
      title: 'No grant allows this',
      status: 403,
      code: 'not-granted',
      detail: 'No grant allows the caller to do this to this key.',
      requestId: refused.headers['x-request-id'],
    });
    const [event] = await tenant.events({ key: 'secret.txt' });
    expect(event).toMatchObject({
      action: 'download-url',
      decision: 'refused',
      reason: 'not-granted',
      subject: 'alice',
      bucket: 'files',
      useCase: 'download',
      issuanceId: null,
      signingKeyId: null,
      expiresAt: null,
      url: null,
      userAgent: 'spec/1',
      clientAddress: '127.0.0.1',
      requestId: refused.body.requestId,
    });
  });

  it('from the very next request on when a grant is deleted', async () => {
    const id = await tenant.grant({ subject: alice, prefix: 'reports/' });
    await download('reports/a').expect(201);
    await callsBy(installation.api, tenant.admin).delete(`/grants/${id}`).expect(204);
    await download('reports/a').expect(403);
    await upload('reports/a').expect(403);
  });

  it('once a grant has expired, and not before', async () => {
    const id = await tenant.grant({ subject: alice, prefix: 'reports/', expiresAt: '2999-01-01T00:00:00Z' });
    await download('reports/a').expect(201);
    await asOwner('UPDATE grants SET expires_at = now() WHERE id = $1', [id]);
    await download('reports/a').expect(403);
  });

  it('when a deny has expired, no longer', async () => {
    await tenant.grant({ subject: alice, prefix: 'reports/' });
    const id = await tenant.grant({ subject: everyone, prefix: '', effect: 'deny', expiresAt: '2999-01-01T00:00:00Z' });
    await download('reports/a').expect(403);
    await asOwner('UPDATE grants SET expires_at = now() WHERE id = $1', [id]);
    await download('reports/a').expect(201);
  });

  it('for the other action than the one that was granted', async () => {
    await tenant.grant({ subject: alice, prefix: 'in/', actions: ['write'] });
    await tenant.grant({ subject: alice, prefix: 'out/', actions: ['read'] });
    await upload('in/a').expect(201);
    await download('in/a').expect(403);
    await download('out/a').expect(201);
    await upload('out/a').expect(403);
  });

  it('for neighbours of what was granted', async () => {
    // Attack: matching by characters instead of segments.
    await tenant.grant({ subject: alice, prefix: 'users/1/' });
    await tenant.grant({ subject: alice, key: 'users/2' });
    await download('users/1/a').expect(201);
    await download('users/2').expect(201);
    for (const key of ['users/10/a', 'users/1', 'users/1a', 'users/2/a', 'users/20', 'Users/1/a', 'x/users/1/a'])
      await download(key).expect(403);
  });

  it('to others than the user, the group or the tenant that was named', async () => {
    await tenant.grant({ subject: alice, prefix: 'a/' });
    await tenant.grant({ subject: { type: 'group', id: 'staff' }, prefix: 'g/' });
    await download('a/x').expect(201);
    await download('g/x', 'bob', { groups: ['visitors', 'staff'] }).expect(201);
    // Attack: a subject that is called like a group, a group like a user, and other spellings of a name.
    await download('g/x', 'staff').expect(403);
    await download('a/x', 'bob', { groups: ['alice'] }).expect(403);
    for (const subject of ['Alice', 'alice ', ' alice', 'alic', 'alice2', '%61lice'])
      await download('a/x', subject).expect(403);
    for (const groups of [['Staff'], ['staff '], ['staf'], []]) await download('g/x', 'bob', { groups }).expect(403);
  });

  it('where anything denies, however much allows', async () => {
    await tenant.grant({ subject: alice, prefix: '' });
    await tenant.grant({ subject: alice, key: 'a/secret/key' });
    await tenant.grant({ subject: { type: 'group', id: 'interns' }, prefix: 'a/', actions: ['read'], effect: 'deny' });
    await tenant.grant({ subject: everyone, prefix: 'b/', effect: 'deny' });
    await download('a/secret/key').expect(201);
    await download('a/secret/key', 'alice', { groups: ['interns'] }).expect(403);
    await upload('a/secret/key').expect(201);
    await download('b/x').expect(403);
  });

  it('for the folders of others where everyone has one', async () => {
    await tenant.grant({ subject: everyone, prefix: 'users/{sub}/' });
    await download('users/bob/a', 'bob').expect(201);
    await download('users/auth0|5f7c/a', 'auth0|5f7c').expect(201);
    await download('users/$&/a', '$&').expect(201);
    await download('users/bob/a').expect(403);
    await download('users/{sub}/a').expect(403);
    await download('users/a', 'a').expect(403);
  });

  // Attack: a subject that is more than one segment, or none, reaches into somebody else's folder.
  it.each(['bob/x', 'a/b', 'bob/', '/', '..', '.', '../users/bob', 'bob\\x', 'e\u0301'])(
    'for every folder where the subject is %j',
    async (subject) => {
      await tenant.grant({ subject: everyone, prefix: 'users/{sub}/' });
      for (const key of ['users/bob/x/a', 'users/bob/x', 'users/a/b/c', 'users/a', 'users/x'])
        await download(key, subject).expect(403);
    },
  );

  it('for every folder but its own where the subject is "{sub}"', async () => {
    // Attack: a subject that is replaced again.
    await tenant.grant({ subject: everyone, prefix: '{sub}/{sub}/' });
    await download('{sub}/{sub}/a', '{sub}').expect(201);
    await download('{sub}/alice/a', '{sub}').expect(403);
    await download('alice/{sub}/a').expect(403);
    await download('alice/alice/a').expect(201);
  });

  it('when a deny holds {sub}, for the folder of each', async () => {
    await tenant.grant({ subject: everyone, prefix: 'users/' });
    await tenant.grant({ subject: everyone, prefix: 'users/{sub}/quarantine/', effect: 'deny' });
    await download('users/alice/a').expect(201);
    await download('users/alice/quarantine/a').expect(403);
    await download('users/bob/quarantine/a').expect(201);
  });
});
