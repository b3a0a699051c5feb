import { expect, it } from '@jest/globals';
import { newIssuanceId } from '@countersign/ledger';

const many = (count: number) => Array.from({ length: count }, newIssuanceId);

it('An issuance’s name is a UUIDv7 (RFC 9562 §5.7) of its millisecond', () => {
  const before = Date.now();
  const ids = many(1_000);
  const after = Date.now();
  for (const id of ids) {
    expect(id).toMatch(/^[\da-f]{8}-[\da-f]{4}-7[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/);
    const time = Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);
    expect(time).toBeGreaterThanOrEqual(before);
    expect(time).toBeLessThanOrEqual(after);
  }
});

it('No two are the same, and nothing but their time tells one from the other', () => {
  const ids = many(100_000);
  expect(new Set(ids).size).toBe(ids.length);
  // Attack: whoever has one guesses its neighbour. Of all 74 random bits each is set in about half of them.
  const bits = ids.map((id) => BigInt(`0x${id.slice(15).replaceAll('-', '')}`));
  for (let bit = 0n; bit < 76n; bit++) {
    if (bit === 62n || bit === 63n) continue;
    const set = bits.filter((value) => (value >> bit) & 1n).length;
    expect(Math.abs(set - ids.length / 2)).toBeLessThan(2_000);
  }
});
