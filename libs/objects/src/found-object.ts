import type { HeadObjectCommandOutput } from '@aws-sdk/client-s3';
import type { FoundObject, Refused } from './answers.js';
import { UNREADABLE } from './answered.js';

/** `x-amz-meta-` + this names the upload of ours that an object came by. */
export const METADATA = 'countersign-upload';

export function asFound(head: HeadObjectCommandOutput): FoundObject | Refused {
  const { ContentLength, ContentType = '', ETag, LastModified = null, Metadata = {} } = head;
  if (ContentLength === undefined || !ETag) return UNREADABLE;
  return {
    kind: 'found',
    size: ContentLength,
    contentType: ContentType,
    etag: inQuotes(ETag),
    lastModified: LastModified,
    uploadId: Metadata[METADATA] ?? null,
    checksumSha256: wholeSha256(head),
  };
}

/** As HTTP has it (RFC 9110 §8.8.3); some stores leave the quotes out where the ETag stands in XML. */
export const inQuotes = (etag: string): string => (etag.startsWith('"') ? etag : `"${etag}"`);

/** Amazon S3 User Guide, "Checking object integrity": that of a multipart upload is a checksum of the parts' checksums, and ends in `-N`. */
function wholeSha256({ ChecksumSHA256, ChecksumType }: HeadObjectCommandOutput): string | null {
  const isWhole = ChecksumType !== 'COMPOSITE' && /^[A-Za-z0-9+/]{43}=$/.test(ChecksumSHA256 ?? '');
  return isWhole ? ChecksumSHA256! : null;
}
