import type { Api } from '../api.js';
import { beginUpload } from './begin-upload.js';
import { courseOf } from './course.js';
import type { VerifiedUpload } from './finish-upload.js';
import { resumeUpload } from './resume-upload.js';
import type { UploadOptions } from './upload-options.js';

/** See CountersignClient.upload. */
export async function uploadFile(api: Api, file: Blob, options: UploadOptions): Promise<VerifiedUpload> {
  const course = courseOf(api, file, options);
  options.signal?.throwIfAborted();
  return options.resume === undefined ? beginUpload(course) : resumeUpload(course, options.resume);
}
