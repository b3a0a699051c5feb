/** Of S3, and of whoever is like it (Amazon S3 User Guide, "Amazon S3 multipart upload limits"). */
const MAX_PARTS = 10_000;
const MIB = 1024 * 1024;
const SMALLEST_PART = 8 * MIB;

export interface PartPlan {
  /** Of every part but the last, in bytes. */
  partSize: number;
  partCount: number;
}

/**
 * How an object is cut: parts of 8 MiB, or of as many whole MiB as it takes to need no more than 10,000 of them.
 * @param partSize of a client that cuts by itself
 */
export function planParts(contentLength: number, partSize = partSizeFor(contentLength)): PartPlan {
  return { partSize, partCount: Math.max(1, Math.ceil(contentLength / partSize)) };
}

const partSizeFor = (contentLength: number): number =>
  Math.max(SMALLEST_PART, Math.ceil(contentLength / MAX_PARTS / MIB) * MIB);

/** How long a part is, exactly; parts are counted from 1. */
export function partLength(contentLength: number, { partSize, partCount }: PartPlan, partNumber: number): number {
  return partNumber < partCount ? partSize : contentLength - (partCount - 1) * partSize;
}
