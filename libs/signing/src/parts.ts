import type { MultipartTerms, PartsTerms, UrlTerms } from '@countersign/ledger';
import type { Issuance } from './s3-terms.js';

export interface Part {
  partNumber: number;
  contentLength: number;
  /** Base64. */
  checksumSha256: string | null;
}

/** What the start of a multipart upload allows: nothing that could be signed. It is on record as every issuance is. */
export function multipartTerms({ url, region, issuedAt, expiresInSeconds, signingKeyId }: Issuance): MultipartTerms {
  return { kind: 'multipart', url, region, issuedAt, expiresInSeconds, signingKeyId };
}

/**
 * What the URLs of parts may do: one PUT for each, of exactly this many bytes.
 * @param uploadId the store's name for the multipart upload
 * @throws RangeError for a number that S3 does not know, and for a part of no bytes: their URL could copy by x-amz-copy-source
 */
export function partsTerms(
  { url, region, issuedAt, expiresInSeconds, signingKeyId }: Issuance,
  { uploadId, parts }: { uploadId: string; parts: readonly Part[] },
): PartsTerms {
  return { kind: 'parts', url, region, issuedAt, expiresInSeconds, signingKeyId, uploadId, parts: parts.map(toSigned) };
}

/** What one of them may do, as any URL has it. */
export function partUrlTerms(
  { url, region, issuedAt, expiresInSeconds, signingKeyId, uploadId }: PartsTerms,
  { partNumber, headers }: PartsTerms['parts'][number],
): UrlTerms {
  return {
    kind: 'url',
    method: 'PUT',
    url,
    region,
    headers,
    query: { partNumber: String(partNumber), uploadId, 'x-id': 'UploadPart' },
    issuedAt,
    expiresInSeconds,
    signingKeyId,
  };
}

/** Amazon S3 User Guide, "Amazon S3 multipart upload limits". Some stores take any number. */
const MAX_PART_NUMBER = 10_000;

function toSigned({ partNumber, contentLength, checksumSha256 }: Part): PartsTerms['parts'][number] {
  if (!Number.isInteger(partNumber) || partNumber < 1 || partNumber > MAX_PART_NUMBER) {
    throw new RangeError(`there is no part ${partNumber}`);
  }
  if (!Number.isSafeInteger(contentLength) || contentLength < 1) {
    throw new RangeError(`a part cannot have ${contentLength} bytes`);
  }
  const headers: Record<string, string> = { 'content-length': String(contentLength) };
  if (checksumSha256 !== null) headers['x-amz-checksum-sha256'] = checksumSha256;
  return { partNumber, headers };
}
