import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { signerOf } from '../../api/rotations/rotation-fixture.js';
import { makeAccessKey, storageKeyIssuer } from '../../support/storage-keys.js';
import type { StorageTest } from '../storage-fixture.js';
import { type RotatedBucket, startRotated } from './rotated-bucket.js';

describe('A rotation to a key that was made by hand, and is not accepted', () => {
  let storage: StorageTest;
  let bucket: RotatedBucket;
  let old: string;
  beforeEach(async () => {
    ({ storage, bucket } = await startRotated());
    old = bucket.firstKey.accessKeyId;
  });
  afterEach(() => storage.stop());

  const signer = async () => signerOf((await storage.downloadUrl(storage.freshKey(), BRIEF)).url);

  it('a credential with a wrong secret never signs: gracefully, the old one goes on', async () => {
    const good = await makeAccessKey();
    const wrong = { ...good, secretAccessKey: 'another-secret-than-its-own' };
    const id = await bucket.begin('graceful', { credential: wrong });
    const stuck = await bucket.untilOver(id);
    expect(stuck).toMatchObject({ state: 'needs-operator', revokedAt: null });
    expect(stuck.problem).toContain('SignatureDoesNotMatch');
    expect(await signer()).toBe(old);

    await bucket.admin.post(`/rotations/${id}/retry`, { credential: good }).expect(202);
    await bucket.until(id, ({ waitingFor }) => waitingFor?.what === 'key-removal');
    expect(await signer()).toBe(good.accessKeyId);
    await storageKeyIssuer().remove(old);
    expect(await bucket.untilOver(id)).toMatchObject({ state: 'done', problem: null });
  });

  it('nor does one that the store does not know: at once, another can be given in its place', async () => {
    const unknown = { accessKeyId: 'CSGNNOBODYHASTHISKEY', secretAccessKey: 'the-secret-of-nobody' };
    const id = await bucket.begin('immediate', { credential: unknown });
    const probing = await bucket.until(
      id,
      ({ steps }) => steps.at(-1)?.name === 'probe-key' && steps.at(-1)?.detail !== null,
    );
    expect(probing.steps.at(-1)?.detail).toContain('InvalidAccessKeyId');
    await bucket.ask().expect(503);

    // Attack on availability: a slip of the pen must not keep everybody waiting until the rotation gives up.
    const good = await makeAccessKey();
    await bucket.admin.post(`/rotations/${id}/retry`, {}).expect(409);
    await bucket.admin.post(`/rotations/${id}/retry`, { credential: good }).expect(202);
    await bucket.until(id, ({ waitingFor }) => waitingFor?.what === 'key-removal');
    expect(await signer()).toBe(good.accessKeyId);
    await storageKeyIssuer().remove(old);
    expect((await bucket.keys()).map(({ state }) => state)).toEqual(['active', 'deleted', 'disabling']);
  });
});

const BRIEF = { useCase: 'brief', expiresInSeconds: 2 };
