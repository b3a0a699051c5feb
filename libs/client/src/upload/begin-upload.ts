import type { CompletedUpload, IssuedUpload, UploadUrlRequest } from '../api.js';
import { complete } from './complete.js';
import type { Course } from './course.js';
import { finishUpload, type VerifiedUpload } from './finish-upload.js';
import { MultipartUpload } from './multipart-upload.js';
import { sendWhole } from './send-whole.js';
import { checksumOf } from './sha256.js';
import type { UploadOptions } from './upload-options.js';

/** Asks for an upload, and does it. @param again what is known of an earlier one, whose place this one takes. */
export async function beginUpload(course: Course, again: Partial<UploadUrlRequest> = {}): Promise<VerifiedUpload> {
  const { file, options } = course;
  const { useCase, overwrite, expiresInSeconds, mode = 'auto' } = options;
  const checksumSha256 = await checksumOf(file, options.checksum);
  const wanted = {
    contentType: options.contentType ?? (file.type || 'application/octet-stream'),
    mode,
    ...(again.key === undefined ? placeOf(file, options) : {}),
    ...again,
  };
  const issued = await course.calls.start({
    ...given({ useCase, overwrite, expiresInSeconds, checksumSha256 }),
    ...sizeOf(file, wanted.mode),
    ...wanted,
  } as UploadUrlRequest);
  return finishUpload(course, issued.uploadId, issued, () => send(course, issued));
}

async function send(course: Course, issued: IssuedUpload): Promise<CompletedUpload> {
  if (issued.mode !== 'multipart') return sendWhole(course, issued);
  const { uploadId, partSize, partCount } = issued;
  const multipart = new MultipartUpload(course, { id: uploadId, partSize, partCount });
  await multipart.sendMissing();
  return complete(course, uploadId, multipart);
}

function placeOf(file: Blob, options: UploadOptions): Partial<UploadUrlRequest> {
  const { bucket, key, prefix, filename } = options;
  const { name } = file as { name?: string };
  if (key === undefined && filename === undefined && !name)
    throw new TypeError('A Blob has no name: give a key or a filename.');
  return given({ bucket, key, prefix, filename: key === undefined ? (filename ?? name) : filename });
}

/** A form cannot pin one length, but a range that has no other. */
const sizeOf = ({ size }: Blob, mode: string | undefined): Partial<UploadUrlRequest> =>
  mode === 'post' ? { contentLengthRange: { min: size, max: size } } : { contentLength: size };

/** Without the fields that have no value: the service takes no null, and its types no undefined. */
function given<Fields extends object>(fields: Fields): { [Name in keyof Fields]?: NonNullable<Fields[Name]> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Fields & object;
}
