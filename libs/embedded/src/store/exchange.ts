import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ObjectName, ObjectStore } from './object-store.js';
import type { RequestTarget } from './request-target.js';
import { S3Error } from './s3-error.js';

/** A request that has passed every check of the guard, and its answer. */
export interface Exchange {
  method: string;
  request: IncomingMessage;
  response: ServerResponse;
  target: RequestTarget;
  /** The headers, and the x-amz-* parameters that the signer moved into the query. */
  headers: Record<string, string>;
  /** Signed: hex SHA-256 of the body, or UNSIGNED-PAYLOAD. */
  payloadHash: string;
  store: ObjectStore;
}

/** The object that the request is about, in a bucket that exists. */
export async function objectOf(exchange: Exchange): Promise<ObjectName> {
  const { key } = exchange.target;
  if (key === undefined) throw new S3Error('InvalidRequest', 'The request names no object.');
  return { bucket: await bucketOf(exchange), key };
}

/** The bucket that the request is about; it exists. */
export async function bucketOf({ target: { bucket = '' }, store }: Exchange): Promise<string> {
  if (bucket === '') throw new S3Error('InvalidRequest', 'The request names no bucket.');
  if (await store.getBucket(bucket)) return bucket;
  throw new S3Error('NoSuchBucket', 'The specified bucket does not exist', { BucketName: bucket });
}

const MAX_OBJECT_BYTES = 5 * 1024 ** 3;

/** The declared length of the body, which Node's parser holds the client to. */
export function bodyLengthOf({ headers }: Exchange): number {
  const length = headers['content-length'];
  if (length === undefined || !/^\d{1,15}$/.test(length)) {
    throw new S3Error('MissingContentLength', 'You must provide the Content-Length HTTP header.');
  }
  if (Number(length) > MAX_OBJECT_BYTES) throw new S3Error('EntityTooLarge', 'The maximum is 5 GiB in one request.');
  return Number(length);
}

/** `If-None-Match: *`, the only precondition that a write can have here. */
export function wantsNew({ headers }: Exchange): boolean {
  if (headers['if-match'] !== undefined || (headers['if-none-match'] ?? '*') !== '*') {
    throw new S3Error('NotImplemented', 'A write takes no precondition but If-None-Match: *.');
  }
  return headers['if-none-match'] === '*';
}

const STORED_HEADERS = new Set([
  'cache-control',
  'content-disposition',
  'content-encoding',
  'content-language',
  'content-type',
  'expires',
]);

/** What is stored with an object and sent with it again. */
export function metadataOf(headers: Record<string, string>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).filter(([name]) => STORED_HEADERS.has(name) || name.startsWith('x-amz-meta-')),
  );
}

export function sendXml(response: ServerResponse, xml: string): void {
  response.writeHead(200, { 'Content-Type': 'application/xml', 'Content-Length': Buffer.byteLength(xml) }).end(xml);
}
