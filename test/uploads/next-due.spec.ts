import { describe, expect, it } from '@jest/globals';
import { isOverForGood, lookedAt, nextLook, retryAt, type Upload, UPLOAD_TIMES } from '@countersign/uploads';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const NOW = new Date('2026-11-22T12:00:00.000Z');
const after = (ms: number) => new Date(NOW.getTime() + ms);

/** Of an upload that expired, or will, so long from now. */
const upload = (expiresInMs: number, more: Partial<Upload> = {}): Upload =>
  ({ state: 'expired', looks: 1, attempts: 0, dueAt: NOW, expiresAt: after(expiresInMs), ...more }) as Upload;

describe('the next look at the store', () => {
  it.each([
    ['before the end, is at the end', 60_000, 60_000],
    ['at the end, is an hour later', 0, HOUR],
    ['an hour after it, is six hours after it', -HOUR, 5 * HOUR],
    ['that was missed, is the one after it', -7 * HOUR, 17 * HOUR],
  ])('%s', (_, expiresInMs, dueInMs) => {
    expect(nextLook(upload(expiresInMs), NOW, UPLOAD_TIMES)).toEqual(after(dueInMs));
    const looked = lookedAt(upload(expiresInMs, { looks: 3, attempts: 5 }), NOW, UPLOAD_TIMES);
    expect(looked).toEqual({ looks: 4, attempts: 0, dueAt: after(dueInMs) });
  });

  it('is none a day after the end: then the row is kept for a while, and withholds nothing', () => {
    for (const expiresInMs of [-DAY, -2 * DAY, -90 * DAY]) {
      expect(nextLook(upload(expiresInMs), NOW, UPLOAD_TIMES)).toBeNull();
      const looked = lookedAt(upload(expiresInMs), NOW, UPLOAD_TIMES);
      expect(looked).toEqual({ looks: 2, attempts: 0, dueAt: after(30 * DAY), withheld: false });
      expect(isOverForGood(upload(expiresInMs, looked), UPLOAD_TIMES)).toBe(true);
    }
  });

  it('is in the future though rows are kept for a day only, and URLs live for a week', () => {
    // Mishap: a row that is due again and again keeps a worker busy for days.
    const times = { ...UPLOAD_TIMES, retentionMs: DAY };
    const aborted = upload(7 * DAY, { state: 'aborted', finishedAt: NOW });
    for (let now = NOW, looks = 0; looks < 5; looks++) {
      const { dueAt } = lookedAt(aborted, now, times);
      expect(dueAt.getTime()).toBeGreaterThan(now.getTime());
      now = dueAt;
    }
  });
});

describe('an upload', () => {
  it.each<[string, Partial<Upload>]>([
    ['is pending', { state: 'pending' }],
    ['is being verified', { state: 'uploaded' }],
    ['has a removal before it', { state: 'rejected', looks: 0 }],
    ['has a look before it that failed', { attempts: 1 }],
    ['has its last look before it', { dueAt: NOW }],
  ])('that %s is not over for good', (_, more) => {
    expect(isOverForGood(upload(-DAY, { dueAt: after(1), ...more }), UPLOAD_TIMES)).toBe(false);
    expect(isOverForGood(upload(-DAY, { dueAt: after(1) }), UPLOAD_TIMES)).toBe(true);
  });

  it('that was verified is', () => {
    expect(isOverForGood(upload(DAY, { state: 'verified', looks: 0 }), UPLOAD_TIMES)).toBe(true);
  });
});

it('a store that does not answer is asked again after a minute, then later each time, up to an hour', () => {
  const waits = [0, 1, 2, 3, 4, 5, 6, 7, 1_000].map((attempts) => retryAt(attempts, NOW, UPLOAD_TIMES));
  expect(waits.map((at) => (at.getTime() - NOW.getTime()) / 60_000)).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 60]);
});
