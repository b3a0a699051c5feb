import { describe, expect, it, jest } from '@jest/globals';
import { assertClocksAgree, ClockSkewError, hotPathProblem } from '@countersign/database';

/** The moments of one call by our clock, in seconds: when we asked, and when the answer was there. */
function check(databaseSeconds: number, asked: number, answered = asked): void {
  jest.useFakeTimers({ now: answered * 1000, doNotFake: ['nextTick', 'setImmediate'] });
  try {
    assertClocksAgree(databaseSeconds, asked * 1000);
  } finally {
    jest.useRealTimers();
  }
}

const NOON = 1_800_000_000;

/** Attack: a clock that is turned back revives tokens that have expired; one that runs ahead has them expire while they are good. */
describe('Our clock is held against the database’s', () => {
  it.each([0, 60, -60])('%d s apart is near enough', (apart) => {
    expect(() => check(NOON, NOON + apart)).not.toThrow();
  });

  it.each([
    [61, "our clock is 61 s ahead of the database's"],
    [-61, "our clock is 61 s behind the database's"],
    [3_600, "our clock is 3600 s ahead of the database's"],
    [-3_600, "our clock is 3600 s behind the database's"],
  ])('%d s apart is refused', (apart, message) => {
    expect(() => check(NOON, NOON + apart)).toThrow(new ClockSkewError(apart));
    expect(() => check(NOON, NOON + apart)).toThrow(message);
  });

  it.each([
    ['at once', 0],
    ['at last', 300],
  ])('an answer that took five minutes may have been given %s', (_, after) => {
    expect(() => check(NOON + after, NOON, NOON + 300)).not.toThrow();
  });

  it('what waiting cannot explain is refused, however long it was', () => {
    expect(() => check(NOON + 361, NOON, NOON + 300)).toThrow(ClockSkewError);
    expect(() => check(NOON - 61, NOON, NOON + 300)).toThrow(ClockSkewError);
  });

  it('a clock that is moved while the answer is on its way is no fault by itself', () => {
    expect(() => check(NOON, NOON, NOON - 3_600)).not.toThrow();
  });

  it('no time at all is refused', () => {
    expect(() => check(NaN, NOON)).toThrow(ClockSkewError);
  });

  it('is a 503 that says so', () => {
    const { code, message, retryAfterSeconds } = hotPathProblem(new ClockSkewError(3_600));
    expect([code, retryAfterSeconds, message]).toEqual([
      'ledger-unavailable',
      10,
      expect.stringContaining('clock') as unknown,
    ]);
  });
});
