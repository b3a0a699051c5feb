import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { answerOf, type Followed, RotationTest } from './rotation-fixture.js';

let t: RotationTest;
beforeEach(async () => {
  t = await RotationTest.start();
  await t.useKeyIssuer();
});
afterEach(() => t.stop());

/** A second bucket of the tenant that signs with the same access key. */
async function addBucket(): Promise<void> {
  const { endpoint } = t.store;
  const place = { provider: 's3', endpoint, region: 'us-east-1', bucket: 'rotated', forcePathStyle: true };
  const bucket = { name: 'more', keyPrefix: 'more/', ...place, credentials: t.firstKey };
  await t.admin.post('/buckets', bucket).expect(201);
  await t.useKeyIssuer({}, 'more');
  await t.tenant.grant({ bucket: 'more', subject: { type: 'everyone' }, prefix: 'users/{sub}/' });
}

const rotateBoth = async (): Promise<Followed[]> => {
  const rotations = [];
  for (const bucket of ['files', 'more']) {
    const { id } = (await t.rotate('graceful', { bucket }).expect(202)).body as Followed;
    rotations.push(await t.untilDone(id));
  }
  return rotations;
};

it('two buckets with one access key: the first one waits for the second, and never the other way round', async () => {
  await addBucket();
  const [first, second] = (await rotateBoth()) as [Followed, Followed];
  expect(first).toMatchObject({ state: 'needs-operator', revokedAt: null });
  expect(first.problem).toContain('more');
  expect(second).toMatchObject({ state: 'done' });

  await t.admin.post(`/rotations/${first.id}/retry`, {}).expect(202);
  expect(await t.untilDone(first.id)).toMatchObject({ state: 'done' });
  expect(await t.isAtStore(t.firstKey.accessKeyId)).toBe(false);
}, 60_000);

it('a URL of the first bucket lives on while the second one is rotated away from the same access key', async () => {
  await addBucket();
  const url = await t.url({ expiresInSeconds: 600 });
  const { id } = (await t.rotate('graceful').expect(202)).body as Followed;
  await t.until(id, ({ waitingFor }) => waitingFor?.what === 'urls');
  const { id: other } = (await t.rotate('graceful', { bucket: 'more' }).expect(202)).body as Followed;
  const stuck = await t.untilDone(other);
  expect(stuck).toMatchObject({ state: 'needs-operator' });
  expect(stuck.problem).toContain('files');
  expect(await answerOf(url)).toBe('404 NoSuchKey');
}, 60_000);
