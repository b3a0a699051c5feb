import type { Wish, Issued } from './issue-url.js';

/** A presigned URL and what it can do. */
export class IssuedUrl {
  /** The ledger's id of this issuance. */
  issuanceId!: string;

  /** The method that the URL was signed for. */
  method!: 'GET' | 'HEAD' | 'PUT';

  /** The presigned URL: whoever holds it can use it until it expires. */
  url!: string;

  /** What the client must set, byte for byte: all signed headers but `host` and `content-length`. */
  headers!: Record<string, string>;

  bucket!: string;
  key!: string;
  useCase!: string;

  /** A whole second: the URL's `X-Amz-Date`. */
  issuedAt!: string;

  /** When the store will begin to refuse the URL. */
  expiresAt!: string;

  expiresInSeconds!: number;

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
