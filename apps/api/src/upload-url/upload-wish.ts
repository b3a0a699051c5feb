import type { Terms, UploadRecord } from '@countersign/ledger';
import { ProblemError } from '@countersign/errors';
import { autoMode, type Terms as PolicyTerms } from '@countersign/policy';
import { formTerms, multipartTerms, uploadTerms } from '@countersign/signing';
import { type PartPlan, planParts } from '@countersign/uploads';
import { invalid } from '../http/request-validation.pipe.js';
import type { Place, Wish } from '../issuance/wish.js';
import { sizeFaults } from './size-faults.js';
import { keyOf } from './upload-key.js';
import type { UploadUrlRequest } from './upload-url.dto.js';

/** A wish for an upload. */
export interface UploadWish extends Wish {
  content: Extract<Wish['content'], { action: 'write' }>;
}

/** Of a client that knows no other parts than its own. */
export interface OwnParts {
  /** In bytes, of every part but the last. */
  partSize: number;
}

/** What is an upload's own in the story that issue-url.ts tells; the problem where its fields do not go together. */
export function uploadWish(request: UploadUrlRequest, ownParts?: OwnParts): UploadWish | ProblemError {
  const key = keyOf(request);
  if (key instanceof ProblemError) return key;
  const faults = sizeFaults(request);
  if (faults.length > 0) return invalid(faults);

  const { bucket, useCase = 'upload', contentType, overwrite = false, checksumSha256 } = request;
  const { contentLength = null, contentLengthRange = null } = request;
  const asked = request.mode ?? 'put';
  const mode = asked === 'auto' ? autoMode(contentLength) : asked;
  const content: Content = { action: 'write', key, mode, contentType, contentLength, contentLengthRange, overwrite };
  if (ownParts) content.isSmallToo = true;
  return {
    action: 'write',
    bucket,
    key,
    useCase,
    expiresInSeconds: request.expiresInSeconds ?? null,
    isStable: false,
    content,
    details: detailsOf(content, checksumSha256),
    terms: (place, terms) => termsOf(content, checksumSha256, place, terms),
    upload: (place, terms, requireVerified) => {
      const plan = mode === 'multipart' && contentLength !== null ? planParts(contentLength, ownParts?.partSize) : null;
      return recordOf(content, plan, checksumSha256, place, terms, requireVerified);
    },
  };
}

type Content = UploadWish['content'];

/** What the ledger has no column for; of the mode, what is not plain. */
function detailsOf({ mode, contentLengthRange, overwrite }: Content, checksumSha256?: string): Record<string, unknown> {
  const details: Record<string, unknown> = { method: mode === 'post' ? 'POST' : 'PUT', overwrite };
  if (mode !== 'put') details['mode'] = mode;
  if (contentLengthRange) details['contentLengthRange'] = contentLengthRange;
  if (checksumSha256 !== undefined) details['checksumSha256'] = checksumSha256;
  return details;
}

function termsOf(content: Content, checksum: string | undefined, place: Place, terms: PolicyTerms): Terms {
  const { mode, contentType, contentLength, contentLengthRange, overwrite } = content;
  const { issuanceId: uploadId, bucket, storeKey } = place;
  const { acl } = bucket;
  const disposition = dispositionOf(terms) ?? null;
  const checksumSha256 = checksum ?? null;
  if (mode === 'multipart') return multipartTerms(place);
  if (contentLength !== null)
    return uploadTerms(place, {
      contentType,
      contentLength,
      checksumSha256,
      overwrite,
      acl,
      disposition,
      uploadId,
    });
  if (!contentLengthRange) throw new Error('an upload has a length or a range');
  return formTerms(place, {
    bucket: bucket.bucket,
    key: storeKey,
    contentType,
    contentLengthRange,
    checksumSha256,
    acl,
    disposition,
    uploadId,
  });
}

/** What whoever completes it must know. */
function recordOf(
  { mode, contentLengthRange, overwrite }: Content,
  plan: PartPlan | null,
  checksumSha256: string | undefined,
  { bucket }: Place,
  terms: PolicyTerms,
  requireVerified: boolean,
): UploadRecord {
  return {
    bucketId: bucket.id,
    mode,
    minContentLength: contentLengthRange?.min,
    maxContentLength: contentLengthRange?.max,
    checksumSha256,
    overwrite,
    disposition: dispositionOf(terms),
    partSize: plan?.partSize,
    partCount: plan?.partCount,
    withheld: requireVerified,
  };
}

const dispositionOf = ({ disposition }: PolicyTerms): 'attachment' | undefined =>
  disposition === 'attachment' ? disposition : undefined;
