import type { Upload } from './upload.js';

export interface UploadTimes {
  /** Of one who works on an upload; prolonged while that takes. */
  leaseMs: number;
  /** How often somebody who waits for another's result looks for it, */
  pollMs: number;
  /** and for how long a request waits. */
  waitMs: number;
  /** After which a start that did not say what became of it has died. */
  startMs: number;
  /** When the store is looked at again for what came late: after the upload's `expiresAt`. */
  looksAfterMs: readonly number[];
  /** Until a store that did not answer is asked again: the first time, and at the most. */
  retryMs: { first: number; most: number };
  /** How long an upload that is over can still be asked about. */
  retentionMs: number;
}

const HOUR_MS = 3_600_000;

export const UPLOAD_TIMES: UploadTimes = {
  leaseMs: 30_000,
  pollMs: 100,
  waitMs: 60_000,
  startMs: 60_000,
  looksAfterMs: [0, HOUR_MS, 6 * HOUR_MS, 24 * HOUR_MS],
  retryMs: { first: 60_000, most: HOUR_MS },
  retentionMs: 30 * 24 * HOUR_MS,
};

/**
 * When the store is to be looked at next for an object that came late, after it was looked at `now`; null where that was the last time and
 * the upload is over for good. An upload URL that was used in its last second is still uploading when it has expired.
 */
export function nextLook({ expiresAt }: Upload, now: Date, { looksAfterMs }: UploadTimes): Date | null {
  const times = looksAfterMs.map((ms) => new Date(expiresAt.getTime() + ms));
  return times.find((time) => time > now) ?? null;
}

/** When the row goes. */
export const goneAt = (finishedAt: Date, { retentionMs }: UploadTimes): Date =>
  new Date(finishedAt.getTime() + retentionMs);

/** What is recorded when an ended upload was looked at and nothing of it is at the store: the next look, or, after the last one, its row's end. */
export function lookedAt(upload: Upload, now: Date, times: UploadTimes): LookedAt {
  const next = nextLook(upload, now, times);
  const looked = { looks: upload.looks + 1, attempts: 0 };
  if (next) return { ...looked, dueAt: next };
  return { ...looked, dueAt: goneAt(now, times), withheld: false };
}

interface LookedAt {
  looks: number;
  attempts: number;
  dueAt: Date;
  withheld?: false;
}
