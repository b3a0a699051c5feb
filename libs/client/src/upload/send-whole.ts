import type { CompletedUpload, IssuedPostUpload, IssuedPutUpload } from '../api.js';
import { complete } from './complete.js';
import type { Course } from './course.js';
import { retry } from './retry.js';
import { StoreError } from './store-error.js';
import { sendToStore } from './send-to-store.js';

/** Sends a file in one request, and completes the upload. */
export async function sendWhole(course: Course, issued: IssuedPutUpload | IssuedPostUpload): Promise<CompletedUpload> {
  const { file, policy, progress, calls } = course;
  const { method, url, headers, uploadId } = issued;
  const body = issued.mode === 'post' ? formOf(issued, file) : file;
  // Of a form more is sent than the file.
  const onSent = (bytes: number): void => progress.set(1, Math.min(bytes, file.size));
  let completed: CompletedUpload | undefined;
  try {
    await retry(policy, () => sendToStore({ method, url, headers, body, signal: policy.signal, onSent }));
  } catch (error) {
    if (!(error instanceof StoreError && error.status === 412)) throw error;
    // What is there may be our own: a try of which no answer came can have arrived. The service knows whose it is.
    completed = await calls.complete(uploadId).catch(() => Promise.reject(error));
  }
  progress.set(1, file.size);
  return completed ?? complete(course, uploadId);
}

/** The fields in the order of the answer, then the file: a store passes over whatever comes after it. */
function formOf({ fields }: IssuedPostUpload, file: Blob): FormData {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  form.append('file', file);
  return form;
}
