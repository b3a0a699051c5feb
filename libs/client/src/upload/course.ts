import type { Api } from '../api.js';
import { Progress } from './progress.js';
import type { RetryPolicy } from './retry.js';
import { UploadCalls } from './upload-calls.js';
import type { UploadOptions } from './upload-options.js';

/** What every step of one `upload` needs. */
export interface Course {
  file: Blob;
  options: UploadOptions;
  calls: UploadCalls;
  progress: Progress;
  policy: RetryPolicy;
}

export function courseOf(api: Api, file: Blob, options: UploadOptions): Course {
  const { retries = 6, backoffMs = 500, signal, onProgress } = options;
  const policy = { retries, backoffMs, signal };
  return { file, options, policy, calls: new UploadCalls(api, policy), progress: new Progress(file.size, onProgress) };
}
