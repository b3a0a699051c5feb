import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { answerOf, type Followed, RotationTest, signerOf } from './rotation-fixture.js';

describe('POST /rotations, where a key issuer makes the keys', () => {
  let t: RotationTest;
  beforeEach(async () => {
    t = await RotationTest.start();
    await t.useKeyIssuer();
  });
  afterEach(() => t.stop());

  it('graceful: URLs of the old key live until they expire, and then it is seen dead and gone', async () => {
    const old = await t.url({ expiresInSeconds: 4 });
    expect(signerOf(old)).toBe(t.firstKey.accessKeyId);
    expect(await answerOf(old)).toBe('404 NoSuchKey');

    const response = await t.rotate('graceful').expect(202);
    const started = response.body as Followed;
    expect(response.headers['location']).toBe(`/rotations/${started.id}`);
    expect(started).toMatchObject({ state: 'running', mode: 'graceful', revokedAt: null, control: null });
    expect(started.exposure.before).toMatchObject({ liveUrls: 1, subjects: 1 });

    const waiting = await t.until(started.id, ({ waitingFor }) => waitingFor !== null);
    expect(waiting).toMatchObject({ state: 'waiting', waitingFor: { what: 'urls' } });
    expect(waiting.waitingFor?.until).toBe(started.exposure.before.latestExpiresAt);
    const next = await t.url();
    expect(signerOf(next)).not.toBe(t.firstKey.accessKeyId);
    expect([await answerOf(old), await answerOf(next)]).toEqual(['404 NoSuchKey', '404 NoSuchKey']);

    const done = await t.untilDone(started.id);
    expect(done).toMatchObject({ state: 'done', waitingFor: null, problem: null });
    expect(done.steps.map(({ name }) => name)).toEqual(
      'create-key probe-key promote wait-for-urls disable-key prove-dead delete-key'.split(' '),
    );
    expect(done.steps.every(({ finishedAt, detail }) => finishedAt !== null && detail !== null)).toBe(true);
    expect(Date.parse(done.revokedAt ?? '')).toBeGreaterThan(Date.parse(waiting.waitingFor?.until ?? ''));
    expect(done.control).toMatchObject({ what: 'signing-key', accessKeyId: signerOf(next) });
    expect(done.exposure.now).toEqual({ liveUrls: 0, subjects: 0, latestExpiresAt: null });
    expect(await t.isAtStore(t.firstKey.accessKeyId)).toBe(false);
    expect((await t.keys()).map(({ state }) => state)).toEqual(['active', 'deleted']);
  });

  it('immediate: the old URL is dead, and issuing goes on with the new key', async () => {
    const old = await t.url({ expiresInSeconds: 600 });
    const { id } = (await t.rotate('immediate').expect(202)).body as Followed;
    const done = await t.untilDone(id);
    expect(done).toMatchObject({ state: 'done', exposure: { before: { liveUrls: 1, subjects: 1 } } });
    expect(await answerOf(old)).toBe('403 InvalidAccessKeyId');
    expect(await answerOf(await t.url())).toBe('404 NoSuchKey');
    expect(await t.isAtStore(t.firstKey.accessKeyId)).toBe(false);
  });

  it('goes on where a person had to correct the key issuer, from the step where it stopped', async () => {
    await t.useKeyIssuer({ secretAccessKey: 'not-its-secret' });
    const { id } = (await t.rotate('graceful').expect(202)).body as Followed;
    const stuck = await t.untilDone(id);
    expect(stuck).toMatchObject({ state: 'needs-operator', problem: expect.any(String) });
    expect(signerOf(await t.url({ expiresInSeconds: 1 }))).toBe(t.firstKey.accessKeyId);
    await t.useKeyIssuer();
    expect((await t.admin.post(`/rotations/${id}/retry`, {}).expect(202)).body).toMatchObject({ problem: null });
    const done = await t.untilDone(id);
    expect([done.state, done.steps.map(({ name }) => name).slice(0, 3)]).toEqual([
      'done',
      ['create-key', 'create-key', 'probe-key'],
    ]);
  });

  it('does not cut off what another bucket of the tenant signs with: no client sees a failure', async () => {
    const { api } = t.installation;
    const bucket = { name: 'twin', provider: 's3', endpoint: t.store.endpoint, region: 'us-east-1', bucket: 'rotated' };
    const admin = { type: 'bearer' } as const;
    await api
      .post('/buckets')
      .auth(t.tenant.admin, admin)
      .send({ ...bucket, credentials: t.firstKey })
      .expect(201);
    const { id } = (await t.rotate('graceful').expect(202)).body as Followed;
    const stopped = await t.untilDone(id);
    expect(stopped).toMatchObject({ state: 'needs-operator' });
    expect(stopped.problem).toContain('twin');
    expect(await t.isAtStore(t.firstKey.accessKeyId)).toBe(true);
    await api.delete('/buckets/twin').auth(t.tenant.admin, admin).expect(204);
    await t.admin.post(`/rotations/${id}/retry`, {}).expect(202);
    expect((await t.untilDone(id)).state).toBe('done');
    expect(await t.isAtStore(t.firstKey.accessKeyId)).toBe(false);
  });

  it('goes on while the tenant is suspended: a key that is to be cut off is', async () => {
    const old = await t.url({ expiresInSeconds: 600 });
    const { id } = (await t.rotate('immediate').expect(202)).body as Followed;
    const { api, operator } = t.installation;
    const setState = (state: string) =>
      api.patch(`/tenants/${t.tenant.slug}`).auth(operator, { type: 'bearer' }).send({ state }).expect(200);
    await setState('suspended');
    const deadline = Date.now() + 20_000;
    while ((await answerOf(old)) !== '403 InvalidAccessKeyId') expect(Date.now()).toBeLessThan(deadline);
    await setState('active');
    expect((await t.untilDone(id)).state).toBe('done');
  });
});
