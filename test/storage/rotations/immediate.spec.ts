import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { answerOf, type Followed, signerOf } from '../../api/rotations/rotation-fixture.js';
import type { StorageTest } from '../storage-fixture.js';
import { Poller } from './poller.js';
import { accessKeysAtStore, type Mode, type RotatedBucket, startRotated } from './rotated-bucket.js';

describe('Cutting a key off now', () => {
  let storage: StorageTest;
  let bucket: RotatedBucket;
  beforeEach(async () => {
    ({ storage, bucket } = await startRotated());
    await bucket.useKeyIssuer();
  });
  afterEach(() => storage.stop());

  it('an immediate rotation: the old URL answers 403, when is said and true, and issuing pauses briefly', async () => {
    // Attack: use a URL that leaked, for as long as it was issued for.
    const key = await storage.store('leaked');
    const leaked = await storage.downloadUrl(key);
    const url = Poller.ofUrl(leaked.url);
    const issuing = new Poller(async () => {
      const { status, headers, body } = await storage.ask('/download-url', 'alice', { bucket: 'files', key });
      const { code, url: issued } = body as { code?: string; url?: string };
      if (status === 201) return `201 ${signerOf(issued ?? '')}`;
      return `${status} ${code} ${Number(headers['retry-after']) > 0 ? 'Retry-After' : ''}`;
    });
    await sleep(200);
    const askedAt = Date.now();
    const { body } = await bucket.rotate('immediate').expect(202);
    const answeredAt = Date.now();
    const { id, exposure } = body as Followed;
    const done = await bucket.untilOver(id);
    await sleep(200);
    const [polled, issued] = await Promise.all([url.stop(), issuing.stop()]);

    const died = polled.find(({ answer }) => answer !== '200');
    const after = polled.slice(polled.findIndex(({ answer }) => answer !== '200'));
    // While it forgets a key, RGW may say for a moment that the key allows nothing; then it does not know it any more.
    expect(after.filter(({ answer }) => !/^403 (?:AccessDenied|InvalidAccessKeyId)$/.test(answer))).toEqual([]);
    expect(after.at(-1)?.answer).toBe('403 InvalidAccessKeyId');
    const [next] = await bucket.keys();
    expect(done).toMatchObject({ state: 'done', control: { what: 'signing-key', accessKeyId: next?.accessKeyId } });
    expect(Date.parse(String(done.revokedAt))).toBeGreaterThan(Number(died?.askedAt));
    expect(exposure.before.liveUrls).toBeGreaterThan(1);
    expect(done.exposure.now.liveUrls).toBe(0);

    // Between the last URL of the old key and the first of the new one there is a pause, and nothing else.
    const old = `201 ${bucket.firstKey.accessKeyId}`;
    const paused = issued.filter(({ answer }) => !answer.startsWith('201'));
    expect(new Set(paused.map(({ answer }) => answer))).toEqual(new Set(['503 signing-key-unavailable Retry-After']));
    const changes = issued.map(({ answer }) => answer).filter((answer, at, all) => answer !== all[at - 1]);
    expect(changes).toEqual([old, '503 signing-key-unavailable Retry-After', `201 ${next?.accessKeyId}`]);
    expect(issued.filter(({ askedAt: at, answer }) => at >= answeredAt && answer === old)).toEqual([]);
    const resumed = issued.find(({ answer }) => answer === `201 ${next?.accessKeyId}`);

    const since = (at: number | undefined) => `${Number(at) - askedAt} ms`;
    report(`from the request, 202 after ${since(answeredAt)}, the old URL refused after ${since(died?.answeredAt)}`);
    report(`issuing paused for ${Number(resumed?.answeredAt) - Number(paused[0]?.askedAt)} ms`);
    report(`revokedAt is ${since(Date.parse(String(done.revokedAt)))} after the request`);
    expect(Number(died?.answeredAt) - askedAt).toBeLessThan(5_000);
    expect(await storage.read(key)).toBe('leaked');
    expect(await accessKeysAtStore()).not.toContain(bucket.firstKey.accessKeyId);
  });

  it.each<Mode>(['graceful', 'immediate'])(
    'a revocation has no successor until a rotation (%s) gives one',
    async (mode) => {
      const key = await storage.store('secret');
      const leaked = await storage.downloadUrl(key);
      const [only] = await bucket.keys();
      const revocation = `/signing-keys/${only?.id}/revocation`;
      const { body } = await bucket.admin.post(revocation, { reason: 'found in a repository' }).expect(202);
      const { id, ...started } = body as Followed;
      expect(started).toMatchObject({ mode: 'revocation', signingKeyId: only?.id, newSigningKeyId: null });

      // A bucket has one key that is active, so none is left here to sign a control URL.
      const done = await bucket.untilOver(id);
      expect(done).toMatchObject({
        state: 'done',
        control: { what: 'invalid-access-key-id' },
        revokedAt: expect.any(String),
      });
      expect(done.steps.find(({ name }) => name === 'prove-dead')?.detail).toContain('5 times in a row');
      expect(await answerOf(leaked.url)).toBe('403 InvalidAccessKeyId');
      expect(await accessKeysAtStore()).not.toContain(bucket.firstKey.accessKeyId);
      expect((await bucket.ask().expect(503)).body).toMatchObject({ code: 'signing-key-unavailable' });
      await bucket.admin.post(revocation, { reason: 'again' }).expect(409);

      const rotation = await bucket.untilOver(await bucket.begin(mode));
      expect(rotation).toMatchObject({ state: 'done', signingKeyId: null, revokedAt: null, problem: null });
      // Of a creation that the store answered with a fault at first, what it may have left is looked for at last.
      const steps = rotation.steps.map(({ name }) => name).filter((name) => name !== 'find-leftovers');
      expect(steps).toEqual(['create-key', 'probe-key', 'promote']);
      expect(await storage.read(key)).toBe('secret');
    },
  );
});

/** What was measured, for whoever reads the run. */
const report = (line: string): void => void process.stdout.write(`    ${process.env['STORAGE_KIND']}: ${line}\n`);
