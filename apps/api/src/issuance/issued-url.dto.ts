import { Example, Integer, Timestamp, Uri, Uuid } from '../http/fields.js';
import type { Issued } from './issued.js';
import { toTimestamp } from './timestamp.js';
import type { Wish } from './wish.js';

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

/** What every issuance has. */
export class Issuance {
  /** The ledger's id of this issuance. */
  @Uuid() issuanceId!: string;

  /** What the client must set, byte for byte: all signed headers but `host` and `content-length`. */
  headers!: Record<string, string>;

  /** The bucket's registered name. */
  bucket!: string;

  /** The object's key; where the upload asked with `filename`, the one that was made of it. */
  key!: string;

  /** The policy that it was issued within. */
  useCase!: string;

  /** A whole second: the signature's `X-Amz-Date`. Of a stable URL, the start of its window. */
  @Timestamp() issuedAt!: string;

  /** When the store will begin to refuse what was issued; of an upload in parts, when the upload is over. */
  @Timestamp() expiresAt!: string;

  /** From `issuedAt` on: exactly what was asked, or the use case's default, unless `expiryLimitedBy` says otherwise. */
  @Integer() expiresInSeconds!: number;

  /** `credential` where the life of the signing credential cut the expiry; else null. */
  expiryLimitedBy!: 'credential' | null;
}

/** An example. */
export const ISSUANCE: Issuance = {
  issuanceId: '5b0f0a52-6c1e-4f5e-9a55-0d6c0f1f3c11',
  headers: {},
  bucket: 'files',
  key: 'users/alice/photo.png',
  useCase: 'download',
  issuedAt: '2027-01-31T12:00:00.000Z',
  expiresAt: '2027-01-31T12:15:00.000Z',
  expiresInSeconds: 900,
  expiryLimitedBy: null,
};

/** An example: its signature is none. */
export const ISSUED_URL: IssuedUrl = {
  ...ISSUANCE,
  method: 'GET',
  url: 'https://s3.eu-central-1.example.com/acme/users/alice/photo.png?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=0123456789abcdef',
};

/** The URL of a HEAD: the size, the type and whether the object is there. */
export class IssuedHead {
  method!: 'HEAD';

  /** A presigned URL of its own, which lives as long. */
  @Uri() url!: string;

  /** What the client must set, as above. */
  headers!: Record<string, string>;
}

/** A presigned URL and what it can do. */
@Example<IssuedUrl>(ISSUED_URL)
export class IssuedUrl extends Issuance {
  /** The method that the URL was signed for. */
  method!: 'GET' | 'HEAD';

  /** The presigned URL: whoever holds it can use it until it expires. */
  @Uri() url!: string;

  /** Where `withHead` asked for it. */
  head?: IssuedHead;
}

/** @throws where the wish was for something else than a URL that downloads. */
export function toIssuedUrl(wish: Wish, issued: Issued): IssuedUrl {
  if (issued.kind !== 'url') throw new Error('this is no URL');
  const { method, headers } = issued.receipt.terms;
  if (method === 'PUT') throw new Error('this is no download');
  const answer: IssuedUrl = Object.assign(toIssuance(wish, issued, headers), { method, url: issued.url });
  if (issued.headUrl !== null) answer.head = { method: 'HEAD', url: issued.headUrl, headers };
  return answer;
}

/** Written out, field by field: see issue-url.ts. */
export function toIssuance(
  { bucket, key, useCase }: Wish,
  { receipt, expiryLimitedBy }: Issued,
  headers: Readonly<Record<string, string>>,
): Issuance {
  const { issuedAt, expiresInSeconds } = receipt.terms;
  return {
    issuanceId: receipt.issuanceId,
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
