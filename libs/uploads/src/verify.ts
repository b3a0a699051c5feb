/** What is looked at. The ETag only says that the store still has what it put together of the parts. */
export type Aspect = 'size' | 'type' | 'checksum' | 'etag';

export interface Mismatch {
  what: Aspect;
  expected: string;
  /** Null where the store has none. */
  found: string | null;
}

/** What was promised when the upload was granted. */
export interface Promised {
  contentType: string;
  contentLength: number | null;
  contentLengthRange: { min: number; max: number } | null;
  /** Base64; null where none was promised: then none is verified. */
  checksumSha256: string | null;
  /** What the store called the object when it had put the parts together; null where nothing is known of it. */
  etag: string | null;
}

/** What the store says of the object, or what was read of it. */
export interface Found {
  size: number;
  contentType: string | null;
  /** Base64 of the whole object's; needed where one was promised. */
  checksumSha256: string | null;
  etag: string;
}

/** What of an object is as it was promised, and what is not. An aspect that could not be looked at is in neither. */
export function verify(promised: Promised, found: Found): { verified: Aspect[]; mismatches: Mismatch[] } {
  const verified: Aspect[] = [];
  const mismatches: Mismatch[] = [];
  const compare = (what: Aspect, isAsPromised: boolean, expected: string, is: string | null) => {
    if (isAsPromised) verified.push(what);
    else mismatches.push({ what, expected, found: is });
  };

  const { min, max } = limitsOf(promised);
  const isWithin = found.size >= min && found.size <= max;
  compare('size', isWithin, min === max ? String(min) : `${min} to ${max}`, String(found.size));
  compare('type', found.contentType === promised.contentType, promised.contentType, found.contentType);
  if (promised.checksumSha256 !== null) {
    compare(
      'checksum',
      found.checksumSha256 === promised.checksumSha256,
      promised.checksumSha256,
      found.checksumSha256,
    );
  }
  if (promised.etag !== null) {
    compare('etag', bareEtag(promised.etag) === bareEtag(found.etag), promised.etag, found.etag);
  }
  return { verified, mismatches };
}

/** An ETag without its quotes (RFC 9110 §8.8.3), as some lists have it and some do not. */
export const bareEtag = (etag: string): string => etag.replace(/^"(.*)"$/, '$1');

function limitsOf({ contentLength, contentLengthRange }: Promised): { min: number; max: number } {
  if (contentLengthRange) return contentLengthRange;
  if (contentLength === null) throw new Error('an upload without a size');
  return { min: contentLength, max: contentLength };
}
