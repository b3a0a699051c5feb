import { ListMultipartUploadsCommand, ListPartsCommand, type S3Client } from '@aws-sdk/client-s3';
import type { ListedParts, ListedUploads, StartedUpload, StoredPart } from './answers.js';
import { answered, isGone, UNREADABLE } from './answered.js';
import { inQuotes } from './found-object.js';
import type { Asking } from './store-http-handler.js';

/** A thousand entries a page, each with a key of up to 1,024 bytes. */
const LIMITS: Asking = { requestTimeout: 15_000, maxBytes: 8 * 1024 ** 2 };

/** Attack: a store whose pages never end. */
const MAX_PAGES = 100;

/** All parts of an upload, page by page. */
export async function listParts(
  client: S3Client,
  upload: { Bucket: string; Key: string; UploadId: string },
): Promise<ListedParts> {
  const parts: StoredPart[] = [];
  let PartNumberMarker = '0';
  for (let page = 0; page < MAX_PAGES; page++) {
    const listed = await answered(client.send(new ListPartsCommand({ ...upload, PartNumberMarker }), LIMITS));
    if (listed.kind === 'refused') return isGone(listed) ? { kind: 'gone' } : listed;
    const { Parts = [], IsTruncated, NextPartNumberMarker } = listed.answer;
    if (IsTruncated === undefined) return UNREADABLE;
    for (const { PartNumber, Size, ETag } of Parts) {
      if (!PartNumber || Size === undefined || !ETag) return UNREADABLE;
      parts.push({ partNumber: PartNumber, size: Size, etag: inQuotes(ETag) });
    }
    if (!IsTruncated) return { kind: 'listed', parts: parts.sort((left, right) => left.partNumber - right.partNumber) };
    PartNumberMarker = NextPartNumberMarker ?? String(parts.at(-1)?.partNumber ?? '');
  }
  return UNREADABLE;
}

/** The uploads of exactly one key, page by page: a prefix finds those of longer keys too. */
export async function listUploads(
  client: S3Client,
  { Bucket, Key }: { Bucket: string; Key: string },
): Promise<ListedUploads> {
  const uploads: StartedUpload[] = [];
  let markers = {};
  for (let page = 0; page < MAX_PAGES; page++) {
    const list = new ListMultipartUploadsCommand({ Bucket, Prefix: Key, ...markers });
    const listed = await answered(client.send(list, LIMITS));
    if (listed.kind === 'refused') return listed;
    const { Uploads = [], IsTruncated, NextKeyMarker, NextUploadIdMarker } = listed.answer;
    if (IsTruncated === undefined) return UNREADABLE;
    for (const { UploadId, Initiated, Key: of } of Uploads) {
      if (!UploadId || of === undefined) return UNREADABLE;
      if (of === Key) uploads.push({ storeUploadId: UploadId, initiatedAt: Initiated ?? new Date(0) });
    }
    if (!IsTruncated) return { kind: 'listed', uploads };
    markers = { KeyMarker: NextKeyMarker, UploadIdMarker: NextUploadIdMarker };
  }
  return UNREADABLE;
}
