import type { UploadTimes } from './upload-times.js';

/** When a store is asked again that did not do what it was asked for the first time (`attempts` 0), the second time, …: later each time. */
export function retryAt(attempts: number, now: Date, { retryMs }: UploadTimes): Date {
  return new Date(now.getTime() + Math.min(retryMs.most, retryMs.first * 2 ** Math.min(attempts, 20)));
}
