import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { partFaults, partLength, planParts } from '@countersign/uploads';

const MIB = 1024 ** 2;

describe('planParts', () => {
  it.each([
    ['one byte', 1, 8 * MIB, 1],
    ['5 MiB', 5 * MIB, 8 * MIB, 1],
    ['exactly one part', 8 * MIB, 8 * MIB, 1],
    ['one byte more', 8 * MIB + 1, 8 * MIB, 2],
    ['200 MiB', 200 * MIB, 8 * MIB, 25],
    ['10,000 parts of the smallest size', 80_000 * MIB, 8 * MIB, 10_000],
    ['one byte more than those', 80_000 * MIB + 1, 9 * MIB, 8_889],
    ['5 TiB', 5 * 1024 ** 4, 525 * MIB, 9_987],
  ])('cuts %s', (_, contentLength, partSize, partCount) => {
    expect(planParts(contentLength)).toEqual({ partSize, partCount });
  });

  it('makes 1 to 10,000 parts of 8 MiB at least, that are together what is uploaded, none of them empty', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5 * 1024 ** 4 }), (contentLength) => {
        const plan = planParts(contentLength);
        const last = partLength(contentLength, plan, plan.partCount);
        expect(plan.partCount).toBeGreaterThanOrEqual(1);
        expect(plan.partCount).toBeLessThanOrEqual(10_000);
        expect(plan.partSize % MIB).toBe(0);
        expect(plan.partSize).toBeGreaterThanOrEqual(8 * MIB);
        // A part of no bytes: its URL could copy by x-amz-copy-source.
        expect(last).toBeGreaterThanOrEqual(1);
        expect(last).toBeLessThanOrEqual(plan.partSize);
        expect((plan.partCount - 1) * plan.partSize + last).toBe(contentLength);
      }),
    );
  });
});

describe('partFaults', () => {
  const contentLength = 16 * MIB + 5;
  const plan = planParts(contentLength);
  const stored = [
    { partNumber: 1, size: 8 * MIB, etag: '"a"' },
    { partNumber: 2, size: 8 * MIB, etag: '"b"' },
    { partNumber: 3, size: 5, etag: '"c"' },
  ];
  const faults = (parts = stored, named: { partNumber: number; etag: string }[] | null = null) =>
    partFaults(contentLength, plan, parts, named).map(({ partNumber, message }) => `${partNumber} ${message}`);

  it('finds none where the store has every part, whole', () => {
    expect(faults()).toEqual([]);
    expect(faults(stored, stored)).toEqual([]);
  });

  it('takes an ETag with its quotes or without', () => {
    expect(
      faults(
        stored,
        [1, 2, 3].map((partNumber, n) => ({ partNumber, etag: 'abc'[n] ?? '' })),
      ),
    ).toEqual([]);
  });

  it('names each that is missing or has another size, though the uploader names it', () => {
    const short = [stored[0], { partNumber: 3, size: 6, etag: '"c"' }].flatMap((part) => part ?? []);
    expect(faults(short, stored)).toEqual(['2 is not at the store', '3 has 6 bytes at the store, and must have 5']);
  });

  it('names each that the uploader knows otherwise, does not name, or has beyond the last', () => {
    const named = [
      { partNumber: 1, etag: '"a"' },
      { partNumber: 2, etag: '"other"' },
      { partNumber: 4, etag: '"d"' },
    ];
    expect(faults(stored, named)).toEqual([
      '2 has another ETag at the store',
      '3 is not named',
      '4 is no part of this upload',
    ]);
  });
});
