import { Example, Integer, Timestamp, Uri, Uuid } from '../http/fields.js';
import type { Wish, Issued } from './issue-url.js';

/** What both issuing calls can refuse. */
export const ISSUING_PROBLEMS = [
  'not-granted',
  'bucket-not-found',
  'use-case-not-found',
  'expiry-required',
  'expiry-out-of-range',
  'content-type-not-allowed',
  'key-too-long',
  'signing-key-unavailable',
] as const;

/** An example: its signature is none. */
export const ISSUED_URL: IssuedUrl = {
  issuanceId: '5b0f0a52-6c1e-4f5e-9a55-0d6c0f1f3c11',
  method: 'GET',
  url: 'https://s3.eu-central-1.example.com/acme/users/alice/photo.png?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=0123456789abcdef',
  headers: {},
  bucket: 'files',
  key: 'users/alice/photo.png',
  useCase: 'download',
  issuedAt: '2027-01-31T12:00:00.000Z',
  expiresAt: '2027-01-31T12:15:00.000Z',
  expiresInSeconds: 900,
  expiryLimitedBy: null,
};

/** A presigned URL and what it can do. */
@Example<IssuedUrl>(ISSUED_URL)
export class IssuedUrl {
  /** The ledger's id of this issuance. */
  @Uuid() issuanceId!: string;

  /** The method that the URL was signed for. */
  method!: 'GET' | 'HEAD' | 'PUT';

  /** The presigned URL: whoever holds it can use it until it expires. */
  @Uri() url!: string;

  /** What the client must set, byte for byte: all signed headers but `host` and `content-length`. */
  headers!: Record<string, string>;

  /** The bucket's registered name. */
  bucket!: string;

  /** The object's key; where the upload asked with `filename`, the one that was made of it. */
  key!: string;

  /** The policy that it was issued within. */
  useCase!: string;

  /** A whole second: the URL's `X-Amz-Date`. */
  @Timestamp() issuedAt!: string;

  /** When the store will begin to refuse the URL. */
  @Timestamp() expiresAt!: string;

  /** Exactly what was asked, or the use case's default, unless `expiryLimitedBy` says otherwise. */
  @Integer() expiresInSeconds!: number;

  /** `credential` where the life of the signing credential cut the expiry; else null. */
  expiryLimitedBy!: 'credential' | null;
}

export function toIssuedUrl({ bucket, key, useCase }: Wish, { receipt, url, expiryLimitedBy }: Issued): IssuedUrl {
  const { method, issuedAt, expiresInSeconds } = receipt.terms;
  const { 'content-length': _, ...headers } = receipt.terms.headers;
  return {
    issuanceId: receipt.issuanceId,
    method,
    url,
    headers,
    bucket,
    key,
    useCase,
    issuedAt: toTimestamp(issuedAt),
    expiresAt: toTimestamp(issuedAt + expiresInSeconds),
    expiresInSeconds,
    expiryLimitedBy,
  };
}

const toTimestamp = (epochSeconds: number): string => new Date(epochSeconds * 1000).toISOString();
