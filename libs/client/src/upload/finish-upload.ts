import type { CompletedUpload } from '../api.js';
import type { Course } from './course.js';
import { UploadError, UploadRejectedError } from './upload-error.js';

/** The completion's answer, and where the object is. */
export type VerifiedUpload = CompletedUpload & { state: 'verified'; bucket: string; key: string };

/** Whatever happens from here on, the caller learns which upload it happened to. */
export async function finishUpload(
  course: Course,
  id: string,
  { bucket, key }: { bucket: string; key: string },
  steps: () => Promise<CompletedUpload>,
): Promise<VerifiedUpload> {
  let completed: CompletedUpload;
  try {
    completed = await steps();
  } catch (error) {
    const { signal, abortUpload = false } = course.options;
    // Where this fails too, the service ends the upload when its time is over.
    if (signal?.aborted && abortUpload) await course.calls.abort(id).catch(() => undefined);
    throw new UploadError(id, error);
  }
  const { state } = completed;
  if (state !== 'verified') throw new UploadRejectedError(completed);
  return { ...completed, state, bucket, key };
}
