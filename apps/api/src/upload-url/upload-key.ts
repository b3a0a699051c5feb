import type { ProblemError } from '@countersign/errors';
import { keyFault } from '@countersign/permissions';
import { invalid } from '../http/request-validation.pipe.js';
import type { UploadUrlRequest } from './upload-url.dto.js';

/** `key`, or `prefix` and `filename`; never both. The problem where they do not go together. */
export function keyOf({
  key,
  prefix,
  filename,
}: Pick<UploadUrlRequest, 'key' | 'prefix' | 'filename'>): string | ProblemError {
  if (key !== undefined) {
    if (filename !== undefined) return leftOut('/filename');
    return prefix === undefined ? key : leftOut('/prefix');
  }
  if (filename === undefined) return invalid([{ pointer: '/key', message: 'must be given, or filename' }]);
  const joined = (prefix ?? '') + filename;
  const fault = keyFault(joined);
  return fault ? invalid([{ pointer: '/filename', message: `${fault}, together with prefix` }]) : joined;
}

const leftOut = (pointer: string) => invalid([{ pointer, message: 'must be left out where key is given' }]);
