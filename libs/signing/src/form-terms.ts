import type { FormTerms } from '@countersign/ledger';
import { type Issuance, UPLOAD_ID_METADATA } from './s3-terms.js';

export interface Form {
  /** Its name at the store. */
  bucket: string;
  /** With the bucket's prefix. */
  key: string;
  contentType: string;
  /** In bytes; both ends are within it. */
  contentLengthRange: { min: number; max: number };
  /** Base64. */
  checksumSha256: string | null;
  acl: 'private' | 'none';
  disposition: 'attachment' | null;
  /** The object is known by it for ours ever after; null where nobody will ask. */
  uploadId: string | null;
}

/**
 * What an upload form may do: one object under exactly this key, of this type and of a size within the range. Whatever the form may say is
 * among its fields, with the value that it must have: nothing may merely begin with something. It can not say that nothing is to be replaced.
 * @param issuance its `url` is the bucket's, as `bucketAddress` gives it
 * @throws RangeError for a key with `${`, and for a range that is none
 */
export function formTerms(
  { url, region, issuedAt, expiresInSeconds, signingKeyId }: Issuance,
  { bucket, key, contentType, contentLengthRange: { min, max }, ...pins }: Form,
): FormTerms {
  // Attack: a store puts the name of whatever file is sent in the place of `${filename}`, so that the holder chooses the key.
  if (key.includes('${')) throw new RangeError('a form cannot have a key with "${"');
  if (![min, max].every(Number.isSafeInteger) || min < 0 || max < min) {
    throw new RangeError(`no size is within ${min} to ${max}`);
  }
  const pinned: Record<string, string> = { 'Content-Type': contentType };
  if (pins.disposition) pinned['Content-Disposition'] = pins.disposition;
  // A form's name for it (Amazon S3 API Reference, "POST Object"): as `x-amz-acl` it would have no effect.
  if (pins.acl !== 'none') pinned['acl'] = pins.acl;
  if (pins.checksumSha256 !== null) pinned['x-amz-checksum-sha256'] = pins.checksumSha256;
  if (pins.uploadId !== null) pinned[UPLOAD_ID_METADATA] = pins.uploadId;
  return {
    kind: 'form',
    url,
    region,
    // Attack: a form that does not say its bucket would do for every bucket that the signing key reaches.
    fields: { ...pinned, bucket, key },
    contentLengthRange: { min, max },
    issuedAt,
    expiresInSeconds,
    signingKeyId,
  };
}
