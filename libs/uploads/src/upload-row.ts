import type { Prisma } from '@countersign/database';
import type { Upload } from './upload.js';
import type { Aspect, Mismatch } from './verify.js';

type Row = Prisma.UploadGetPayload<object>;

/** What the database holds of an upload, as we speak of it. */
export function toUpload(row: Row): Upload {
  const { contentLength, minContentLength: min, maxContentLength: max, partSize, size } = row;
  return {
    id: row.id,
    tenantId: row.tenantId,
    subject: row.subject,
    bucketId: row.bucketId,
    bucket: row.bucket,
    key: row.key,
    useCase: row.useCase,
    mode: row.mode,
    state: row.state,
    contentType: row.contentType,
    contentLength: toNumber(contentLength),
    contentLengthRange: min === null || max === null ? null : { min: Number(min), max: Number(max) },
    checksumSha256: row.checksumSha256,
    overwrite: row.overwrite,
    disposition: row.disposition,
    partSize: toNumber(partSize),
    partCount: row.partCount,
    storeUploadId: row.storeUploadId,
    withheld: row.withheld,
    createdAt: row.createdAt,
    expiresAt: row.expiresAt,
    size: toNumber(size),
    etag: row.etag,
    verified: row.verified as Aspect[],
    mismatches: row.mismatches as unknown as Mismatch[] | null,
    finishedAt: row.finishedAt,
    looks: row.looks,
    dueAt: row.dueAt,
    attempts: row.attempts,
  };
}

/** No object of S3 has more bytes than a number holds. */
const toNumber = (value: bigint | null): number | null => (value === null ? null : Number(value));
