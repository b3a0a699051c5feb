import type { CompletedUpload } from '../api.js';
import { CountersignError } from '../countersign-error.js';
import type { Course } from './course.js';
import type { MultipartUpload } from './multipart-upload.js';
import { pause } from './retry.js';

/** A store may be slow to show what it took, and a large object takes a while to be read and hashed. */
const PATIENCE_MS = 120_000;
const BYTES_HASHED_PER_MS = 20_000;

/** Asks until the upload is verified or rejected, and sends again what the store has lost: for a bounded time, and so many times as anything is tried again. */
export async function complete(course: Course, id: string, multipart?: MultipartUpload): Promise<CompletedUpload> {
  const { calls, policy, file } = course;
  const deadline = Date.now() + PATIENCE_MS + file.size / BYTES_HASHED_PER_MS;
  for (let resends = 0; ;) {
    try {
      return await calls.complete(id, multipart?.sentParts());
    } catch (error) {
      if (!isIncomplete(error) || Date.now() > deadline) throw error;
      const isLost = multipart !== undefined && error.errors.length > 0;
      if (isLost && resends++ >= policy.retries) throw error;
      await pause((error.retryAfterSeconds ?? 1) * 1000, policy.signal);
      if (isLost) await multipart.sendLost();
    }
  }
}

export const isIncomplete = (error: unknown): error is CountersignError =>
  error instanceof CountersignError && error.code === 'upload-incomplete';
