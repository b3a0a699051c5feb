import type { FieldError } from '@countersign/errors';
import type { UploadUrlRequest } from './upload-url.dto.js';

/** Why `mode`, `contentLength` and `contentLengthRange` do not go together: a form has a range, and anything has one of the two. */
export function sizeFaults({ mode, contentLength, contentLengthRange }: UploadUrlRequest): FieldError[] {
  if (mode === 'post') {
    if (contentLength !== undefined)
      return [{ pointer: '/contentLength', message: 'must be left out of a form: give contentLengthRange' }];
    return contentLengthRange ? [] : [{ pointer: '/contentLengthRange', message: 'must be given for a form' }];
  }
  if (contentLength === undefined)
    return contentLengthRange ? [] : [{ pointer: '/contentLength', message: 'must be given, or contentLengthRange' }];
  if (!contentLengthRange) return [];
  return [{ pointer: '/contentLengthRange', message: 'must be left out where contentLength is given' }];
}
