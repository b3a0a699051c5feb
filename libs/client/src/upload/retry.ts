import { CountersignError } from '../countersign-error.js';
import { StoreError } from './store-error.js';

export interface RetryPolicy {
  retries: number;
  backoffMs: number;
  signal?: AbortSignal | undefined;
}

/** Makes the attempt again while it fails for a moment only: a lost connection, a server that is down or asks to wait. A refusal is never tried again. */
export async function retry<Result>(policy: RetryPolicy, attempt: () => Promise<Result>): Promise<Result> {
  for (let tries = 0; ; tries++) {
    policy.signal?.throwIfAborted();
    try {
      return await attempt();
    } catch (error) {
      if (policy.signal?.aborted || tries >= policy.retries || !isTransient(error)) throw error;
      await pause(Math.max(backoffOf(policy, tries), retryAfterMsOf(error)), policy.signal);
    }
  }
}

/** By its name, since an error may come from another realm: what `fetch` throws where no answer came. */
export const isConnectionLost = (error: unknown): boolean => (error as Error | null)?.name === 'TypeError';

export function pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop);
      resolve();
    }, milliseconds);
    const stop = (): void => {
      clearTimeout(timer);
      reject(signal?.reason as Error);
    };
    if (signal?.aborted) stop();
    else signal?.addEventListener('abort', stop, { once: true });
  });
}

const MOMENTARY_STATUSES = [408, 425, 429, 500, 502, 503, 504];
/** S3's, under statuses that are refusals otherwise. */
const MOMENTARY_CODES = ['RequestTimeout', 'OperationAborted', 'ConditionalRequestConflict'];
const LONGEST_BACKOFF_MS = 30_000;
const LONGEST_RETRY_AFTER_SECONDS = 120;

function isTransient(error: unknown): boolean {
  if (!(error instanceof CountersignError || error instanceof StoreError)) return isConnectionLost(error);
  // Whoever is asked to wait for longer than a person would is better off knowing it.
  if ((error.retryAfterSeconds ?? 0) > LONGEST_RETRY_AFTER_SECONDS) return false;
  return MOMENTARY_STATUSES.includes(error.status) || MOMENTARY_CODES.includes(error.code ?? '');
}

/** At random between a half and the whole, so that those who failed together do not all come again together. */
const backoffOf = ({ backoffMs }: RetryPolicy, tries: number): number =>
  Math.min(backoffMs * 2 ** tries, LONGEST_BACKOFF_MS) * (0.5 + Math.random() / 2);

function retryAfterMsOf(error: unknown): number {
  const isTold = error instanceof CountersignError || error instanceof StoreError;
  return isTold ? (error.retryAfterSeconds ?? 0) * 1000 : 0;
}
