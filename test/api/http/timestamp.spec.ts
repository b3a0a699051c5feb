import { expect, it } from '@jest/globals';
import { toTimestamp } from '../../../apps/api/src/issuance/timestamp.js';

const LAST = Date.UTC(9999, 11, 31, 23, 59, 59) / 1000;

it('A second is written as Date writes it, whatever the year: leap days, ends of years and of centuries too', () => {
  const edges = Array.from({ length: 8_030 }, (_, n) => n + 1970).flatMap((year) =>
    [Date.UTC(year, 0, 1), Date.UTC(year, 1, 28), Date.UTC(year, 2, 1)].flatMap((day) => [
      day / 1000 - 1,
      day / 1000,
      day / 1000 + 86_399,
      day / 1000 + 86_400,
    ]),
  );
  const spread = Array.from({ length: 50_000 }, (_, n) => Math.floor((n / 50_000) * LAST));
  const all = [0, LAST, ...edges, ...spread].filter((second) => second >= 0 && second <= LAST);
  const wrong = all.filter((second) => toTimestamp(second) !== new Date(second * 1000).toISOString());
  expect(wrong).toEqual([]);
});
