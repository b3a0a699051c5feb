import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { answerOf, signerOf } from '../../api/rotations/rotation-fixture.js';
import { makeAccessKey, storageKeyIssuer } from '../../support/storage-keys.js';
import type { StorageTest } from '../storage-fixture.js';
import { accessKeysAtStore, type Mode, type RotatedBucket, startRotated } from './rotated-bucket.js';

describe('A rotation of keys that are made by hand', () => {
  let storage: StorageTest;
  let bucket: RotatedBucket;
  let old: string;
  beforeEach(async () => {
    ({ storage, bucket } = await startRotated());
    old = bucket.firstKey.accessKeyId;
  });
  afterEach(() => storage.stop());

  const signer = async () => signerOf((await storage.downloadUrl(storage.freshKey(), BRIEF)).url);

  it.each<Mode>(['immediate', 'graceful'])(
    '%s: names the old key for removal, and sees within seconds that it was removed',
    async (mode) => {
      const key = await storage.store('kept', BRIEF);
      const url = await storage.downloadUrl(key, mode === 'immediate' ? {} : { ...BRIEF, expiresInSeconds: 6 });
      const credential = await makeAccessKey();
      const id = await bucket.begin(mode, { credential });
      if (mode === 'immediate') {
        const { status, body } = await bucket.ask();
        expect(status === 503 || signerOf((body as { url: string }).url) === credential.accessKeyId).toBe(true);
      } else {
        const forUrls = await bucket.until(id, ({ waitingFor }) => waitingFor !== null);
        expect(forUrls).toMatchObject({ state: 'waiting', waitingFor: { what: 'urls' } });
        expect(await answerOf(url.url)).toBe('200');
      }
      const waiting = await bucket.until(id, ({ waitingFor }) => waitingFor?.what === 'key-removal');
      expect(waiting).toMatchObject({ state: 'waiting', waitingFor: { accessKeyId: old }, revokedAt: null });
      expect(await signer()).toBe(credential.accessKeyId);
      // It is the operator's to remove.
      expect(await accessKeysAtStore()).toContain(old);

      await storageKeyIssuer().remove(old);
      const removedAt = Date.now();
      const done = await bucket.untilOver(id);
      expect(done).toMatchObject({ state: 'done', control: { accessKeyId: credential.accessKeyId } });
      expect(Date.parse(String(done.revokedAt)) - removedAt).toBeGreaterThan(0);
      expect(Date.parse(String(done.revokedAt)) - removedAt).toBeLessThan(12_000);
      expect(await answerOf(url.url)).toMatch(mode === 'immediate' ? /^403 InvalidAccessKeyId$/ : /^403 /);
      expect(await accessKeysAtStore()).toContain(credential.accessKeyId);
    },
  );
});

const BRIEF = { useCase: 'brief', expiresInSeconds: 2 };
