import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { signerOf } from '../../api/rotations/rotation-fixture.js';
import { canary } from '../../signing-keys/key-issuers/canary.js';
import type { StorageTest } from '../storage-fixture.js';
import { BusyClients } from './busy-client.js';
import { Poller } from './poller.js';
import { accessKeysAtStore, type RotatedBucket, startRotated } from './rotated-bucket.js';

describe('A graceful rotation, while clients ask and are served all the time', () => {
  let storage: StorageTest;
  let bucket: RotatedBucket;
  let clients: BusyClients | undefined;
  beforeEach(async () => {
    ({ storage, bucket } = await startRotated());
    await bucket.useKeyIssuer();
  });
  afterEach(async () => {
    await clients?.stop();
    await storage.stop();
  });

  it('no client sees a failure, every URL lives until it expires, and then the key is gone', async () => {
    const key = await storage.store('precious', { useCase: 'brief' });
    clients = new BusyClients(storage, key, 'precious');
    const old = await storage.downloadUrl(key, { useCase: 'brief', expiresInSeconds: 6 });
    expect(signerOf(old.url)).toBe(bucket.firstKey.accessKeyId);
    const poller = Poller.ofUrl(old.url);

    const id = await bucket.begin('graceful');
    const waiting = await bucket.until(id, ({ waitingFor }) => waitingFor !== null);
    expect(waiting).toMatchObject({
      state: 'waiting',
      revokedAt: null,
      control: null,
      exposure: { before: waiting.exposure.before },
    });
    expect(waiting.waitingFor).toEqual({ what: 'urls', until: waiting.exposure.before.latestExpiresAt });
    expect(Date.parse(String(waiting.waitingFor?.until))).toBeGreaterThanOrEqual(Date.parse(old.expiresAt));
    const next = signerOf((await storage.downloadUrl(key, { useCase: 'brief' })).url);
    expect(await accessKeysAtStore()).toEqual(expect.arrayContaining([bucket.firstKey.accessKeyId, next]));

    const done = await bucket.untilOver(id);
    await clients.stop();
    expect(clients.failures).toEqual([]);
    expect(Math.min(...Object.values(clients.uses))).toBeGreaterThan(10);
    expect(done).toMatchObject({ state: 'done', waitingFor: null, problem: null });
    expect(done.control).toMatchObject({ what: 'signing-key', accessKeyId: next });
    expect(Date.parse(String(done.revokedAt))).toBeGreaterThan(Date.parse(String(waiting.waitingFor?.until)));

    const polled = await poller.stop();
    const inTime = polled.filter(({ answeredAt }) => answeredAt < Date.parse(old.expiresAt));
    expect(inTime.length).toBeGreaterThan(50);
    expect(inTime.filter(({ answer }) => answer !== '200')).toEqual([]);
    expect(polled.at(-1)?.answer).toMatch(/^403 /);

    const left = await accessKeysAtStore();
    expect([left.includes(bucket.firstKey.accessKeyId), left.includes(next)]).toEqual([false, true]);
    expect(await canary(bucket.firstKey)).toBe('InvalidAccessKeyId');
    expect((await bucket.keys()).map(({ accessKeyId, state }) => [accessKeyId, state])).toEqual([
      [next, 'active'],
      [bucket.firstKey.accessKeyId, 'deleted'],
    ]);
  });

  it('escalated while it waits: what was waited for dies at once', async () => {
    const key = await storage.store('leaked');
    const leaked = await storage.downloadUrl(key);
    const id = await bucket.begin('graceful');
    await bucket.until(id, ({ waitingFor }) => waitingFor?.what === 'urls');
    const poller = Poller.ofUrl(leaked.url);
    const escalatedAt = Date.now();
    const escalation = await bucket.admin.post(`/rotations/${id}/escalation`, { reason: 'it leaked' }).expect(202);
    expect(escalation.body).toMatchObject({ id, state: 'running', waitingFor: null });

    const done = await bucket.untilOver(id);
    const polled = await poller.stop();
    const died = polled.find(({ answer }) => answer !== '200');
    // RGW says AccessDenied for a moment, while it forgets the key.
    expect(died?.answer).toMatch(/^403 (?:AccessDenied|InvalidAccessKeyId)$/);
    expect(polled.at(-1)?.answer).toBe('403 InvalidAccessKeyId');
    expect(Number(died?.answeredAt) - escalatedAt).toBeLessThan(5_000);
    expect(Date.parse(String(done.revokedAt))).toBeGreaterThanOrEqual(Number(died?.askedAt));
    expect(done).toMatchObject({ state: 'done', exposure: { before: { liveUrls: 2 }, now: { liveUrls: 0 } } });
    expect(await storage.read(key)).toBe('leaked');
  });
});
