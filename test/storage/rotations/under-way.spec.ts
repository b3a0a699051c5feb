import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Followed } from '../../api/rotations/rotation-fixture.js';
import type { StorageTest } from '../storage-fixture.js';
import { accessKeysAtStore, type RotatedBucket, startRotated } from './rotated-bucket.js';

describe('A rotation, seen by administrators', () => {
  let storage: StorageTest;
  let bucket: RotatedBucket;
  beforeEach(async () => {
    ({ storage, bucket } = await startRotated());
    await bucket.useKeyIssuer();
  });
  afterEach(() => storage.stop());

  it('of twenty at once one begins it, and all others are told of that one, whatever else they sent', async () => {
    // Attack: each of two rotations takes the other's new key for the old one, and the bucket is left without any.
    await storage.downloadUrl(storage.freshKey());
    const answers = await Promise.all(Array.from({ length: 20 }, () => bucket.rotate('graceful')));
    const begun = answers.filter(({ status }) => status === 202);
    expect(begun).toHaveLength(1);
    const rotationId = (begun[0]?.body as Followed | undefined)?.id ?? '';
    const told = { code: 'rotation-under-way', rotationId };
    for (const answer of answers.filter(({ status }) => status !== 202))
      expect([answer.status, answer.body]).toEqual([409, expect.objectContaining(told)]);
    for (const nonsense of [{ mode: 7 }, { credential: 'none' }, { reason: null, surprise: true }])
      expect((await bucket.rotate('graceful', nonsense).expect(409)).body).toMatchObject(told);

    // Of its two keys, the one that it takes away already: hurrying is what escalation is for.
    await bucket.until(rotationId, ({ waitingFor }) => waitingFor !== null);
    for (const { id, state } of await bucket.keys()) {
      const answer = await bucket.admin.post(`/signing-keys/${id}/revocation`, { reason: 'a test' }).expect(409);
      expect([state, answer.body]).toEqual([expect.any(String), expect.objectContaining(told)]);
    }
    await bucket.admin.post(`/rotations/${rotationId}/escalation`, { reason: 'the test is over' }).expect(202);
    expect(await bucket.untilOver(rotationId)).toMatchObject({ state: 'done' });
    const [active, old, ...others] = await bucket.keys();
    expect([active?.state, old?.state, others]).toEqual(['active', 'deleted', []]);
    expect(await accessKeysAtStore()).toContain(active?.accessKeyId);
  });

  it('exposure is what the ledger says, in the list and in a dry run; its own URLs do not count', async () => {
    const granted = async () => {
      const rows = await storage.tenant.events({ decision: 'granted', limit: '200' });
      return rows.filter(({ action }) => action === 'download-url' || action === 'upload-url');
    };
    await storage.store('one');
    for (const subject of ['bob', 'carol', 'carol']) {
      const wish = { bucket: 'files', key: `users/${subject}/a` };
      await storage.ask('/download-url', subject, wish).expect(201);
    }
    await storage.ask('/download-url', 'bob', { bucket: 'files', key: 'users/carol/a' }).expect(403);
    const live = await granted();
    const exposure = {
      liveUrls: live.length,
      subjects: new Set(live.map(({ subject }) => subject)).size,
      latestExpiresAt: live
        .map(({ expiresAt }) => String(expiresAt))
        .toSorted()
        .at(-1),
    };
    expect([exposure.liveUrls, exposure.subjects]).toEqual([4, 3]);
    expect((await bucket.keys())[0]?.exposure).toEqual(exposure);
    const wouldDie = await bucket.admin
      .post('/rotations?dryRun=true', { bucket: 'files', mode: 'immediate' })
      .expect(200);
    expect(wouldDie.body).toEqual({ bucket: 'files', mode: 'immediate', exposure });

    const id = await bucket.begin('graceful');
    const waiting = await bucket.until(id, ({ waitingFor }) => waitingFor !== null);
    expect(waiting.exposure).toEqual({ before: exposure, now: exposure });
    await bucket.admin.post(`/rotations/${id}/escalation`, { reason: 'the test is over' }).expect(202);
    expect((await bucket.untilOver(id)).exposure.before).toEqual(exposure);

    const own = (await granted()).filter(({ subject }) => subject === 'system:rotation');
    const purposes = own.map(({ details }) => details as { rotationId: string; purpose: string });
    expect(new Set(purposes.map(({ purpose }) => purpose))).toEqual(new Set(['canary', 'control']));
    expect(new Set(purposes.map(({ rotationId }) => rotationId))).toEqual(new Set([id]));
    expect((await bucket.keys()).map((key) => key.exposure.liveUrls)).toEqual([0, 0]);
  });
});
