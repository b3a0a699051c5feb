import type { Course } from './course.js';
import type { PartUrls } from './part-urls.js';
import { isConnectionLost, retry } from './retry.js';
import { StoreError } from './store-error.js';
import { sendToStore } from './send-to-store.js';

/** Sends one part until the store has it, and gives its ETag. A URL that does not work is replaced by a new one. */
export async function sendPart(
  { policy, progress }: Course,
  urls: PartUrls,
  body: Blob,
  partNumber: number,
  signal: AbortSignal,
): Promise<string | null> {
  const onSent = (bytes: number): void => progress.set(partNumber, bytes);
  let isReplaced = false;
  const attempt = async (): Promise<string | null> => {
    const { url, headers } = await urls.of(partNumber);
    try {
      return await sendToStore({ method: 'PUT', url, headers, body, signal, onSent });
    } catch (error) {
      progress.set(partNumber, 0);
      const isRefused = error instanceof StoreError && error.status === 403;
      // Some stores hide a refusal from a page, so that it looks like a lost connection.
      if (isRefused || isConnectionLost(error)) urls.drop(partNumber);
      if (!isRefused || isReplaced) throw error;
      isReplaced = true;
      return attempt();
    }
  };
  return retry({ ...policy, signal }, attempt);
}
