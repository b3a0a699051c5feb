import type { Upload } from '../api.js';
import { CountersignError } from '../countersign-error.js';
import { beginUpload } from './begin-upload.js';
import { complete, isIncomplete } from './complete.js';
import type { Course } from './course.js';
import { finishUpload, type VerifiedUpload } from './finish-upload.js';
import { MultipartUpload } from './multipart-upload.js';
import { UploadError } from './upload-error.js';

/** Goes on with an upload where it stopped: what the store has already is not sent again. */
export async function resumeUpload(course: Course, id: string): Promise<VerifiedUpload> {
  const upload = await course.calls.find(id);
  if (!isOfItsSize(upload, course.file)) {
    throw new UploadError(
      id,
      new RangeError(`The file has ${course.file.size} bytes, which is not what was promised.`),
    );
  }
  if (upload.state !== 'pending') return finishUpload(course, id, upload, () => complete(course, id));
  return upload.mode === 'multipart' ? resumeParts(course, upload) : resumeWhole(course, upload);
}

function resumeParts(course: Course, upload: Upload): Promise<VerifiedUpload> {
  const { id, partSize = 0, partCount = 0 } = upload;
  const multipart = new MultipartUpload(course, { id, partSize, partCount });
  return finishUpload(course, id, upload, async () => {
    try {
      await multipart.findSent();
    } catch (error) {
      // The store has its parts no more where they are an object already, and whoever put them together died before that was on record.
      if (isWrongState(error)) return complete(course, id);
      throw error;
    }
    await multipart.sendMissing();
    return complete(course, id, multipart);
  });
}

/** It may have come whole, though nobody heard of it. If not, a new upload takes its place: its URL is not given twice. */
async function resumeWhole(course: Course, upload: Upload): Promise<VerifiedUpload> {
  const { id, bucket, key, contentType, mode } = upload;
  try {
    return await finishUpload(course, id, upload, () => course.calls.complete(id));
  } catch (error) {
    if (!(error instanceof UploadError && isIncomplete(error.cause))) throw error;
    return beginUpload(course, { bucket, key, contentType, mode });
  }
}

const isWrongState = (error: unknown): boolean => error instanceof CountersignError && error.code === 'wrong-state';

function isOfItsSize({ contentLength, contentLengthRange }: Upload, { size }: Blob): boolean {
  if (contentLength !== null) return size === contentLength;
  return !contentLengthRange || (size >= contentLengthRange.min && size <= contentLengthRange.max);
}
