import type { ProblemError } from '@countersign/errors';
import { downloadTerms } from '@countersign/signing';
import { invalid } from '../http/request-validation.pipe.js';
import type { Wish } from '../issuance/wish.js';
import type { DownloadUrlRequest } from './download-url.dto.js';

/** What is a download's own in the story that issue-url.ts tells; the problem where its fields do not go together. */
export function downloadWish(request: DownloadUrlRequest): Wish | ProblemError {
  const { bucket, key, useCase = 'download', method = 'GET', filename = null, versionId = null } = request;
  const { withHead = false, stable = false } = request;
  if (withHead && method === 'HEAD') return invalid([WITH_WHAT_IT_IS]);
  return {
    action: 'read',
    bucket,
    key,
    useCase,
    expiresInSeconds: request.expiresInSeconds ?? null,
    isStable: stable,
    content: {
      action: 'read',
      key,
      disposition: request.disposition ?? null,
      hasFilename: filename !== null,
      contentType: request.contentType ?? null,
    },
    details: detailsOf(request, method),
    terms: (place, { disposition, contentType }) =>
      downloadTerms(place, { method, withHead, disposition, filename, contentType, versionId }),
  };
}

const WITH_WHAT_IT_IS = { pointer: '/withHead', message: 'must be left out, or false, with the method HEAD' };

/** What the ledger has no column for. */
function detailsOf({ versionId, filename, withHead, stable }: DownloadUrlRequest, method: 'GET' | 'HEAD') {
  const details: Record<string, unknown> = { method };
  if (versionId !== undefined) details['versionId'] = versionId;
  if (filename !== undefined) details['filename'] = filename;
  if (withHead) details['withHead'] = true;
  if (stable) details['stable'] = true;
  return details;
}
