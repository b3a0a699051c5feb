import type { UrlTerms } from '@countersign/ledger';
import { contentDisposition } from './content-disposition.js';

/** What all of them have. */
export interface Issuance {
  /** As `objectAddress` made it. */
  url: string;
  region: string;
  issuedAt: number;
  expiresInSeconds: number;
  signingKeyId: string;
}

export interface Download {
  method: 'GET' | 'HEAD';
  /** With a GET: whether a HEAD is allowed too. */
  withHead?: boolean;
  disposition: 'attachment' | 'inline' | null;
  filename: string | null;
  contentType: string | null;
  versionId: string | null;
}

export interface Upload {
  contentType: string;
  contentLength: number;
  /** Base64. */
  checksumSha256: string | null;
  overwrite: boolean;
  acl: 'private' | 'none';
  disposition: 'attachment' | null;
  /** The object is known by it for ours ever after; null where nobody will ask. */
  uploadId: string | null;
}

/** Metadata of every object that came by an upload of ours: by it one is told from what somebody else put under the key. */
export const UPLOAD_ID_METADATA = 'x-amz-meta-countersign-upload';

/** What a download URL may do: one GET or HEAD of one object, or a pair of URLs both, with the response headers that the store is told to give. */
export function downloadTerms(
  { url, region, issuedAt, expiresInSeconds, signingKeyId }: Issuance,
  download: Download,
): UrlTerms {
  const disposition = download.disposition && contentDisposition(download.disposition, download.filename ?? undefined);
  const query: Record<string, string> = {};
  if (disposition) query['response-content-disposition'] = disposition;
  if (download.contentType !== null) query['response-content-type'] = download.contentType;
  if (download.versionId !== null) query['versionId'] = download.versionId;
  // As the SDK has it: a GET and a PUT name their operation, a HEAD does not.
  const headQuery = download.withHead ? { ...query } : undefined;
  if (download.method === 'GET') query['x-id'] = 'GetObject';
  const terms: UrlTerms = {
    kind: 'url',
    method: download.method,
    url,
    region,
    headers: {},
    query,
    issuedAt,
    expiresInSeconds,
    signingKeyId,
  };
  if (headQuery) terms.headQuery = headQuery;
  return terms;
}

/**
 * What an upload URL may do: one PUT of this many bytes of this type, to a key where nothing is yet unless overwriting was asked for and
 * allowed. All of it is signed headers: what S3's SDK would move into the query, stores ignore there (storage is not ours to trust).
 */
export function uploadTerms(
  { url, region, issuedAt, expiresInSeconds, signingKeyId }: Issuance,
  upload: Upload,
): UrlTerms {
  const headers: Record<string, string> = {
    'content-length': String(upload.contentLength),
    'content-type': upload.contentType,
  };
  if (upload.disposition) headers['content-disposition'] = upload.disposition;
  if (!upload.overwrite) headers['if-none-match'] = '*';
  if (upload.acl !== 'none') headers['x-amz-acl'] = upload.acl;
  if (upload.checksumSha256 !== null) headers['x-amz-checksum-sha256'] = upload.checksumSha256;
  if (upload.uploadId !== null) headers[UPLOAD_ID_METADATA] = upload.uploadId;
  return {
    kind: 'url',
    method: 'PUT',
    url,
    region,
    headers,
    query: { 'x-id': 'PutObject' },
    issuedAt,
    expiresInSeconds,
    signingKeyId,
  };
}
