import { describe, expect, it } from '@jest/globals';
import { AtMost } from '../../../apps/api/src/uploads/at-most.js';

describe('AtMost', () => {
  it('lets so many be under way and no more, in order, and one that fails makes room too', async () => {
    const atMost = new AtMost(4);
    const begun: number[] = [];
    let underWay = 0;
    let most = 0;
    const outcomes = await Promise.allSettled(
      Array.from({ length: 50 }, (_, n) =>
        atMost.run(async () => {
          begun.push(n);
          most = Math.max(most, ++underWay);
          await new Promise((resolve) => setTimeout(resolve, n % 3));
          underWay--;
          if (n % 2) throw new Error('fails');
        }),
      ),
    );
    expect(most).toBe(4);
    expect(begun).toEqual(begun.toSorted((a, b) => a - b));
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(25);
  });
});
