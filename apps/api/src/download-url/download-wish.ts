import { downloadTerms } from '@countersign/signing';
import type { Wish } from '../issuance/wish.js';
import type { DownloadUrlRequest } from './download-url.dto.js';

/** What is a download's own in the story that issue-url.ts tells. */
export function downloadWish(request: DownloadUrlRequest): Wish {
  const { bucket, key, useCase = 'download', method = 'GET', filename = null, versionId = null } = request;
  return {
    action: 'read',
    bucket,
    key,
    useCase,
    expiresInSeconds: request.expiresInSeconds ?? null,
    content: {
      action: 'read',
      key,
      disposition: request.disposition ?? null,
      hasFilename: filename !== null,
      contentType: request.contentType ?? null,
    },
    details: { method, ...(versionId === null ? {} : { versionId }), ...(filename === null ? {} : { filename }) },
    terms: (place, { disposition, contentType }) =>
      downloadTerms(place, { method, disposition, filename, contentType, versionId }),
  };
}
