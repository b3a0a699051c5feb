import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { install, type Installation, type Tenant } from '../../support/installation.js';
import { asOwner, bytesOf, callsBy } from '../calls.js';

/** `bucket-not-found`, for both issuing calls. */
describe('An issuing call answers 404', () => {
  let installation: Installation;
  let tenant: Tenant;

  beforeAll(async () => {
    installation = await install();
    tenant = await installation.createTenant();
    await tenant.grant({ subject: { type: 'user', id: 'alice' }, prefix: '' });
  });
  afterAll(() => installation.close());

  const content = { contentType: 'text/plain', contentLength: 1 };
  async function ask(path: '/download-url' | '/upload-url', body: object, subject = 'bob', by = tenant) {
    const more = path === '/upload-url' ? content : {};
    const response = await callsBy(installation.api, by.token(subject)).post(path, { key: 'a', ...more, ...body });
    const { date: _, 'x-request-id': __, ...headers } = response.headers as Record<string, string>;
    return { status: response.status, text: bytesOf(response), headers };
  }

  it.each(['/download-url', '/upload-url'] as const)(
    '%s: the same bytes for a bucket that does not exist and one where the caller has nothing',
    async (path) => {
      // Attack: telling from the answers which buckets there are.
      const missing = await ask(path, { bucket: 'nowhere' });
      expect(missing).toMatchObject({
        status: 404,
        text: '{"type":"/docs/errors#bucket-not-found","title":"There is no such bucket","status":404,"code":"bucket-not-found","detail":"There is no such bucket, or no grant in it for the caller.","requestId":"…"}',
      });
      await expect(ask(path, { bucket: 'files' })).resolves.toEqual(missing);
      // Nor by what else is wrong with the request.
      for (const more of [{ useCase: 'nothing' }, { expiresInSeconds: 1e9 }, { key: 'k'.repeat(1024) }])
        await expect(ask(path, { bucket: 'files', ...more })).resolves.toEqual(missing);
      for (const bucket of ['Files', 'files ', 'FILES', 'files/', '../files', "files'--", 'ﬁles'])
        await expect(ask(path, { bucket }, 'alice')).resolves.toEqual(missing);
    },
  );

  it("for another tenant's bucket, whatever is granted there", async () => {
    // Attack: the same subject at another tenant, whose bucket has the same name.
    const other = await installation.createTenant({ name: 'theirs' });
    await other.grant({ subject: { type: 'everyone' }, bucket: 'theirs', prefix: '' });
    const missing = await ask('/download-url', { bucket: 'nowhere' });
    await expect(ask('/download-url', { bucket: 'theirs' }, 'alice')).resolves.toEqual(missing);
    await expect(ask('/download-url', { bucket: 'files' }, 'alice', other)).resolves.toEqual(missing);
    expect((await ask('/download-url', { bucket: 'theirs' }, 'alice', other)).status).toBe(201);
  });

  it('where all that the caller has is a deny, an expired grant, or a folder that the subject cannot name', async () => {
    const guarded = await installation.createTenant();
    const carol = { type: 'user', id: 'carol' };
    await guarded.grant({ subject: carol, prefix: 'a/', effect: 'deny' });
    await guarded.grant({ subject: { type: 'everyone' }, prefix: 'users/{sub}/' });
    const expired = await guarded.grant({
      subject: { type: 'user', id: 'x/y' },
      prefix: '',
      expiresAt: '2999-01-01T00:00:00Z',
    });
    expect((await ask('/download-url', { bucket: 'files' }, 'carol', guarded)).status).toBe(403);
    expect((await ask('/download-url', { bucket: 'files' }, 'x/y', guarded)).status).toBe(201);
    await asOwner('UPDATE grants SET expires_at = now() WHERE id = $1', [expired]);

    const missing = await ask('/download-url', { bucket: 'nowhere' });
    await expect(ask('/download-url', { bucket: 'files' }, 'x/y', guarded)).resolves.toEqual(missing);
    await expect(ask('/download-url', { bucket: 'files' }, '..', guarded)).resolves.toEqual(missing);

    const denied = await installation.createTenant();
    await denied.grant({ subject: carol, prefix: '', effect: 'deny' });
    await expect(ask('/download-url', { bucket: 'files' }, 'carol', denied)).resolves.toEqual(missing);
  });

  it('with a ledger row for each, which tells the auditor the name that was asked for', async () => {
    await ask('/download-url', { bucket: 'nowhere', key: 'k1' }, 'dave');
    await ask('/upload-url', { bucket: 'files', key: 'k2' }, 'dave');
    const events = await tenant.events({ subject: 'dave' });
    const refusal = { decision: 'refused', reason: 'bucket-not-found', issuanceId: null, url: null };
    expect(events).toMatchObject([
      { ...refusal, action: 'upload-url', bucket: 'files', key: 'k2', ...content },
      { ...refusal, action: 'download-url', bucket: 'nowhere', key: 'k1' },
    ]);
  });
});
