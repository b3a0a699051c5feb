import { MAX_MULTIPART_BYTES, MAX_PUT_BYTES, MIN_MULTIPART_BYTES, type UseCase } from './use-case.js';
import type { Violation } from './violation.js';

/** How an object gets to the store: one PUT, one form, or parts. */
export type UploadMode = 'put' | 'post' | 'multipart';

/** Above this, `auto` takes parts: a PUT that breaks off begins anew. */
const MAX_AUTO_PUT_BYTES = 64 * 1024 ** 2;

/** What an upload says about how, and how much. */
export interface WantedSize {
  key: string;
  mode: UploadMode;
  /** Exactly; null where a range is given. */
  contentLength: number | null;
  contentLengthRange: { min: number; max: number } | null;
  /** Of `multipart`: also less than 5 MiB, which a store takes as one part. For a client that knows no other way. */
  isSmallToo?: boolean;
}

/** What the bucket can be had for. */
export interface StoreOffer {
  /** Whether it takes forms, by POST policies. */
  forms: boolean;
}

/** What `auto` stands for: a form where a range was given instead of the length, since nothing else holds to one. */
export function autoMode(contentLength: number | null): UploadMode {
  if (contentLength === null) return 'post';
  return contentLength > MAX_AUTO_PUT_BYTES ? 'multipart' : 'put';
}

/** Why the upload cannot be made in this mode at this store. */
export function modeViolations({ key, mode, contentLengthRange }: WantedSize, store: StoreOffer): Violation[] {
  if (mode !== 'post') {
    if (!contentLengthRange) return [];
    const message = `cannot be held to by "${mode}": give contentLength, or take "post"`;
    return [{ code: 'size-range-not-available', pointer: '/contentLengthRange', message }];
  }
  if (!store.forms) {
    const message = 'cannot be "post", nor "auto" with a range: this bucket offers no POST policies';
    return [{ code: 'mode-not-available', pointer: '/mode', message }];
  }
  // Attack: a store replaces what stands in `${…}` of a form's key, and the holder would write another key than the one that is granted.
  if (!key.includes('${')) return [];
  const message = 'cannot be that of a form: a store replaces what it says in "${…}"';
  return [{ code: 'mode-not-available', pointer: '/key', message }];
}

/** Whether the size, or both ends of the range, is within what the use case and the mode allow. */
export function sizeViolations(useCase: UseCase, wanted: WantedSize): Violation[] {
  const isMultipart = wanted.mode === 'multipart';
  // No URL may take a part of no bytes: see parts.ts.
  const minOfParts = wanted.isSmallToo ? 1 : MIN_MULTIPART_BYTES;
  const minContentLength = Math.max(useCase.minContentLength ?? 0, isMultipart ? minOfParts : 0);
  const maxOfMode = isMultipart ? MAX_MULTIPART_BYTES : MAX_PUT_BYTES;
  const maxContentLength = Math.min(useCase.maxContentLength ?? maxOfMode, maxOfMode);
  const limits = { minContentLength, maxContentLength };
  const { contentLengthRange: range } = wanted;
  const smallest = range ? range.min : (wanted.contentLength ?? 0);
  const largest = range ? range.max : smallest;

  const violations: Violation[] = [];
  if (largest > maxContentLength) {
    const pointer = range ? '/contentLengthRange/max' : '/contentLength';
    violations.push({ code: 'too-large', pointer, message: `must be at most ${maxContentLength} bytes`, limits });
  }
  if (smallest < minContentLength) {
    const pointer = range ? '/contentLengthRange/min' : '/contentLength';
    violations.push({ code: 'too-small', pointer, message: `must be at least ${minContentLength} bytes`, limits });
  }
  return violations;
}
