import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { answerOf, type Followed, RotationTest, signerOf } from './rotation-fixture.js';

describe('A rotation within the window of a stable URL', () => {
  let t: RotationTest;
  // Its window is five minutes long; one that ends during a test changes no more than the rotation does.
  const ask = () => t.url({ expiresInSeconds: 600, stable: true });
  const exposureOf = async (id: unknown) => (await t.keys()).find((key) => key['id'] === id)?.['exposure'];

  beforeEach(async () => {
    t = await RotationTest.start();
    await t.useKeyIssuer();
  });
  afterEach(() => t.stop());

  it('graceful: the old URL lives on, a new one takes its place, and each counts once for the key that signed it', async () => {
    const old = new Set([await ask(), await ask()]);
    const { id } = (await t.rotate('graceful').expect(202)).body as Followed;
    const { signingKeyId, newSigningKeyId, exposure, waitingFor } = await t.until(
      id,
      (rotation) => rotation.waitingFor !== null,
    );
    expect(exposure.before.liveUrls).toBe(old.size);
    expect(waitingFor?.until).toBe(exposure.before.latestExpiresAt);

    const next = new Set([await ask(), await ask(), await ask()]);
    for (const url of [...old, ...next]) expect(await answerOf(url)).toBe('404 NoSuchKey');
    expect([...next].map(signerOf)).not.toContain(t.firstKey.accessKeyId);
    expect(await exposureOf(signingKeyId)).toMatchObject({ liveUrls: old.size, subjects: 1 });
    expect(await exposureOf(newSigningKeyId)).toMatchObject({ liveUrls: next.size, subjects: 1 });
    expect([old.size, next.size].every((size) => size <= 2)).toBe(true);
    await t.admin.post(`/rotations/${id}/escalation`, { reason: 'the test is over' }).expect(202);
    await t.untilDone(id);
  });

  it('immediate: nobody is given the URL that died', async () => {
    // Attack: none; but a URL that is kept and given out again would be dead for the rest of its window.
    const old = await ask();
    const { id } = (await t.rotate('immediate').expect(202)).body as Followed;
    await t.untilDone(id);
    expect(await answerOf(old)).toBe('403 InvalidAccessKeyId');
    expect(await answerOf(await ask())).toBe('404 NoSuchKey');
  });
});
