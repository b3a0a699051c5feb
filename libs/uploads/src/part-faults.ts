import { type PartPlan, partLength } from './part-plan.js';
import { bareEtag } from './verify.js';

/** A part that the store has. */
export interface StoredPart {
  partNumber: number;
  size: number;
  etag: string;
}

/** A part as the uploader knows it. */
export type NamedPart = Pick<StoredPart, 'partNumber' | 'etag'>;

/** What stands in the way of putting the parts together, and of which part. */
export interface PartFault {
  partNumber: number;
  message: string;
}

/**
 * Whether the store has every part, whole: what is missing or has another size or, where the uploader names the parts, another ETag. In the
 * order of the parts.
 */
export function partFaults(
  contentLength: number,
  plan: PartPlan,
  stored: readonly StoredPart[],
  named: readonly NamedPart[] | null,
): PartFault[] {
  const atStore = new Map(stored.map((part) => [part.partNumber, part]));
  const byName = named && new Map(named.map((part) => [part.partNumber, part.etag]));
  const faults: PartFault[] = [];
  for (let partNumber = 1; partNumber <= plan.partCount; partNumber++) {
    const message = faultOf(atStore.get(partNumber), partLength(contentLength, plan, partNumber), byName, partNumber);
    if (message) faults.push({ partNumber, message });
  }
  const beyond = (named ?? []).filter(({ partNumber }) => partNumber > plan.partCount);
  return [...faults, ...beyond.map(({ partNumber }) => ({ partNumber, message: 'is no part of this upload' }))];
}

function faultOf(
  part: StoredPart | undefined,
  length: number,
  named: ReadonlyMap<number, string> | null,
  partNumber: number,
): string | null {
  if (!part) return 'is not at the store';
  if (part.size !== length) return `has ${part.size} bytes at the store, and must have ${length}`;
  const etag = named?.get(partNumber);
  if (named && etag === undefined) return 'is not named';
  return etag === undefined || bareEtag(etag) === bareEtag(part.etag) ? null : 'has another ETag at the store';
}
