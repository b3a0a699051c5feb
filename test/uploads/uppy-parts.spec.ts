import { describe, expect, it } from '@jest/globals';
import { partLength, planParts } from '@countersign/uploads';
import fc from 'fast-check';
import { uppyPartSize } from '../../apps/api/src/compat/uppy/uppy-parts.js';

const MIB = 1024 ** 2;

/** What Uppy sends: `#initChunks` of @uppy/aws-s3 5.1 (MultipartUploader.ts), and the constructor of 6.3 (S3Uploader.ts), as they stand there. */
const UPPYS: Record<string, (fileSize: number, getChunkSize?: () => number) => number[]> = {
  'Uppy 5': (fileSize, getChunkSize = () => Math.ceil(fileSize / 10_000)) => {
    if (fileSize <= 5 * MIB) return [fileSize];
    const chunkSize = Math.max(getChunkSize(), 5 * MIB);
    const chunks: number[] = [];
    for (let offset = 0; offset < fileSize; offset += chunkSize) {
      chunks.push(Math.min(fileSize, offset + chunkSize) - offset);
    }
    return chunks;
  },
  'Uppy 6': (fileSize, getChunkSize = () => Math.ceil(fileSize / 10_000)) => {
    let chunkSize = Math.max(getChunkSize(), 5 * MIB);
    if (Math.ceil(fileSize / chunkSize) > 10_000) chunkSize = Math.ceil(fileSize / 10_000);
    const chunks: number[] = [];
    for (let offset = 0; offset < fileSize; offset += chunkSize) {
      chunks.push(Math.min(offset + chunkSize, fileSize) - offset);
    }
    return chunks;
  },
};

describe.each(Object.entries(UPPYS))('The parts that are planned for %s', (_, chunksOf) => {
  const sizes = fc.oneof(fc.integer({ min: 1, max: 100 * MIB }), fc.integer({ min: 1, max: 5 * 1024 ** 4 }));
  const lengthsOf = (size: number, partSize: number) => {
    const plan = planParts(size, partSize);
    return Array.from({ length: plan.partCount }, (__, n) => partLength(size, plan, n + 1));
  };

  it('are those that it sends, to the byte', () => {
    fc.assert(
      fc.property(sizes, (size) => {
        expect(lengthsOf(size, uppyPartSize(size, undefined) as number)).toEqual(chunksOf(size));
      }),
    );
  });

  it('are those that the page chose, or there is a word about it', () => {
    fc.assert(
      fc.property(sizes, fc.integer({ min: 1, max: 5 * 1024 * MIB }), (size, chunkSize) => {
        const partSize = uppyPartSize(size, chunkSize);
        if (typeof partSize !== 'number') expect(size / Math.max(chunkSize, 5 * MIB)).toBeGreaterThan(10_000);
        else expect(lengthsOf(size, partSize)).toEqual(chunksOf(size, () => chunkSize));
      }),
    );
  });
});
