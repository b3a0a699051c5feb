import { bucketOf, type Exchange, sendXml } from '../exchange.js';
import { document, elements, S3Error } from '../s3-error.js';
import { openUpload, uploadIdOf } from './multipart-upload.js';
import { PartsOnDisk, type StartedUpload } from './parts-on-disk.js';

const LONGEST_PAGE = 1_000;

export async function listParts(exchange: Exchange): Promise<void> {
  const upload = await openUpload(exchange);
  const marker = numberIn(exchange, 'part-number-marker', 0);
  const length = Math.min(numberIn(exchange, 'max-parts', LONGEST_PAGE), LONGEST_PAGE);
  const left = (await upload.list()).filter(({ partNumber }) => partNumber > marker);
  const page = left.slice(0, length);
  const { bucket, key } = upload.record;
  const head = {
    Bucket: bucket,
    Key: key,
    UploadId: uploadIdOf(exchange),
    PartNumberMarker: marker,
    NextPartNumberMarker: page.at(-1)?.partNumber ?? marker,
    MaxParts: length,
    IsTruncated: page.length < left.length,
  };
  const parts = page.map(
    ({ partNumber, etag, size, modifiedAt }) =>
      `<Part>${elements({ PartNumber: partNumber, LastModified: modifiedAt.toISOString(), ETag: `"${etag}"`, Size: size })}</Part>`,
  );
  sendXml(exchange.response, document('ListPartsResult', head, parts.join('')));
}

export async function listUploads(exchange: Exchange): Promise<void> {
  const { query } = exchange.target;
  const bucket = await bucketOf(exchange);
  const [prefix, keyMarker, uploadIdMarker] = ['prefix', 'key-marker', 'upload-id-marker'].map(
    (name) => query.get(name) ?? '',
  ) as [string, string, string];
  const length = Math.min(numberIn(exchange, 'max-uploads', LONGEST_PAGE), LONGEST_PAGE);
  const isAfter = ({ key, uploadId }: StartedUpload): boolean =>
    key > keyMarker || (key === keyMarker && uploadIdMarker !== '' && uploadId > uploadIdMarker);
  const left = (await PartsOnDisk.ofBucket(exchange.store.uploadsDir, bucket, prefix)).filter(isAfter);
  const page = left.slice(0, length);
  const isTruncated = page.length < left.length;
  const head = {
    Bucket: bucket,
    Prefix: prefix,
    KeyMarker: keyMarker,
    UploadIdMarker: uploadIdMarker,
    ...(isTruncated ? { NextKeyMarker: page.at(-1)!.key, NextUploadIdMarker: page.at(-1)!.uploadId } : {}),
    MaxUploads: length,
    IsTruncated: isTruncated,
  };
  const uploads = page.map(
    ({ key, uploadId, initiatedAt }) =>
      `<Upload>${elements({ Key: key, UploadId: uploadId, Initiated: initiatedAt.toISOString() })}</Upload>`,
  );
  sendXml(exchange.response, document('ListMultipartUploadsResult', head, uploads.join('')));
}

function numberIn({ target }: Exchange, name: string, otherwise: number): number {
  const text = target.query.get(name) ?? String(otherwise);
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new S3Error('InvalidArgument', `${name} is no number.`);
}
