import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { asOwner } from '../calls.js';
import { answerOf, type Followed, RotationTest, signerOf } from './rotation-fixture.js';

describe('POST /rotations, where the keys are made by hand', () => {
  let t: RotationTest;
  beforeEach(async () => {
    t = await RotationTest.start();
  });
  afterEach(() => t.stop());

  it('immediate: signs no more with the old key, names it for removal, and says when it was seen dead', async () => {
    const old = await t.url({ expiresInSeconds: 600 });
    const credential = await t.makeKey();
    const { id } = (await t.rotate('immediate', { credential }).expect(202)).body as Followed;
    const refused = await t.admin.get('/signing-keys').expect(200);
    expect((refused.body as { items: { state: string }[] }).items.map(({ state }) => state)).not.toContain('retiring');

    const waiting = await t.until(id, ({ waitingFor }) => waitingFor !== null);
    expect(waiting).toMatchObject({
      state: 'waiting',
      waitingFor: { what: 'key-removal', accessKeyId: t.firstKey.accessKeyId },
      revokedAt: null,
    });
    expect(await answerOf(old)).toBe('404 NoSuchKey');
    expect(signerOf(await t.url())).toBe(credential.accessKeyId);

    await t.removeKey(t.firstKey.accessKeyId);
    const done = await t.untilDone(id);
    expect(done).toMatchObject({ state: 'done', control: { accessKeyId: credential.accessKeyId } });
    expect(done.steps.map(({ name }) => name)).toEqual(
      'disable-key probe-key promote prove-dead delete-key'.split(' '),
    );
    expect(await t.isAtStore(credential.accessKeyId)).toBe(true);
  });

  it('asks for another credential where the store does not believe the new one, and never takes that one away', async () => {
    const other = await t.makeKey();
    const credential = { ...other, secretAccessKey: 'another-secret-than-its-own' };
    const { id } = (await t.rotate('graceful', { credential }).expect(202)).body as Followed;
    const stuck = await t.untilDone(id);
    expect(stuck).toMatchObject({ state: 'needs-operator', revokedAt: null });
    expect(stuck.problem).toContain('SignatureDoesNotMatch');
    expect(stuck.problem).not.toContain(credential.secretAccessKey);
    expect(signerOf(await t.url())).toBe(t.firstKey.accessKeyId);

    const better = await t.makeKey();
    await t.admin.post(`/rotations/${id}/retry`, { credential: better }).expect(202);
    const promoted = await t.until(id, ({ steps }) => steps.some(({ name }) => name === 'wait-for-urls'));
    expect(promoted.problem).toBeNull();
    expect(signerOf(await t.url({ expiresInSeconds: 1 }))).toBe(better.accessKeyId);
    expect(await t.isAtStore(other.accessKeyId)).toBe(true);
    const states = (await t.keys()).map(({ accessKeyId, state }) => [accessKeyId, state]);
    expect(states).toContainEqual([other.accessKeyId, 'deleted']);
    await t.admin.post(`/rotations/${id}/retry`, {}).expect(409);
  });

  it('revocation: without a successor, by the store’s own InvalidAccessKeyId', async () => {
    const [key] = await t.keys();
    const old = await t.url({ expiresInSeconds: 600 });
    const reason = { reason: 'a test' };
    const { id, ...started } = (
      await t.admin.post(`/signing-keys/${String(key?.['id'])}/revocation`, reason).expect(202)
    ).body as Followed;
    expect(started).toMatchObject({ mode: 'revocation', newSigningKeyId: null, exposure: { before: { liveUrls: 1 } } });
    const { api } = t.installation;
    const wanted = { bucket: 'files', key: 'users/alice/a' };
    const asking = api.post('/download-url').auth(t.tenant.token('alice'), { type: 'bearer' }).send(wanted);
    const paused = await asking.expect(503);
    expect(paused.body).toMatchObject({ code: 'signing-key-unavailable' });
    expect(Number(paused.headers['retry-after'])).toBeGreaterThan(0);

    await t.until(id, ({ waitingFor }) => waitingFor?.accessKeyId === t.firstKey.accessKeyId);
    await t.removeKey(t.firstKey.accessKeyId);
    const done = await t.untilDone(id);
    expect(done).toMatchObject({ state: 'done', control: { what: 'invalid-access-key-id' } });
    expect(await answerOf(old)).toBe('403 InvalidAccessKeyId');

    // The bucket has no key now: a rotation gives it one, and there is nothing to take away.
    const credential = await t.makeKey();
    const again = (await t.rotate('graceful', { credential }).expect(202)).body as Followed;
    expect(again).toMatchObject({ signingKeyId: null, exposure: { before: { liveUrls: 0 } } });
    expect((await t.untilDone(again.id)).steps.map(({ name }) => name)).toEqual(['probe-key', 'promote']);
    expect(await answerOf(await t.url())).toBe('404 NoSuchKey');
  });

  it('forgets the secret of a key that is gone, and never shows or logs one', async () => {
    const credential = await t.makeKey();
    const { id } = (await t.rotate('immediate', { credential }).expect(202)).body as Followed;
    await t.removeKey(t.firstKey.accessKeyId);
    await t.untilDone(id);
    const rows = await asOwner<{ state: string; has: boolean }>(
      `SELECT k.state::text, sealed_credential IS NOT NULL AS has FROM signing_keys k
         JOIN tenants t ON t.id = k.tenant_id WHERE t.slug = $1 ORDER BY 1`,
      [t.tenant.slug],
    );
    expect(rows).toEqual([
      { state: 'active', has: true },
      { state: 'deleted', has: false },
    ]);
    const shown = JSON.stringify([await t.keys(), await t.follow(id), await t.tenant.events({ limit: '200' })]);
    for (const secret of [t.firstKey.secretAccessKey, credential.secretAccessKey, 'X-Amz-Signature'])
      expect(shown).not.toContain(secret);
  });

  it('escalates: a graceful rotation that waits for URLs cuts its key off now', async () => {
    const old = await t.url({ expiresInSeconds: 600 });
    const credential = await t.makeKey();
    const { id } = (await t.rotate('graceful', { credential }).expect(202)).body as Followed;
    await t.until(id, ({ waitingFor }) => waitingFor?.what === 'urls');
    const escalated = await t.admin.post(`/rotations/${id}/escalation`, { reason: 'leaked' }).expect(202);
    expect(escalated.body).toMatchObject({ state: 'running', waitingFor: null });
    await t.admin.post(`/rotations/${id}/escalation`, { reason: 'leaked' }).expect(409);
    await t.until(id, ({ waitingFor }) => waitingFor?.what === 'key-removal');
    await t.removeKey(t.firstKey.accessKeyId);
    expect(await t.untilDone(id)).toMatchObject({ state: 'done', exposure: { before: { liveUrls: 1 } } });
    expect(await answerOf(old)).toBe('403 InvalidAccessKeyId');
    const actions = (await t.tenant.events({ limit: '200' }))
      .filter(({ action }) => String(action).startsWith('rotation.'))
      .map(({ action, subject }) => `${String(action)} ${String(subject)}`);
    expect(actions).toEqual([
      'rotation.finished system:rotation',
      'rotation.revoked system:rotation',
      'rotation.escalated admin',
      'rotation.promoted system:rotation',
      'rotation.started admin',
    ]);
  });
});
