import type { RequestTarget } from './request-target.js';
import { S3Error } from './s3-error.js';

export type Operation =
  | 'ListBuckets'
  | 'ListObjects'
  | 'GetObject'
  | 'PutObject'
  | 'DeleteObject'
  | 'ListMultipartUploads'
  | 'CreateMultipartUpload'
  | 'UploadPart'
  | 'ListParts'
  | 'CompleteMultipartUpload'
  | 'AbortMultipartUpload';

const LISTING = ['list-type', 'prefix', 'delimiter', 'max-keys', 'marker', 'start-after', 'continuation-token'];

/** All that this store does, and the query parameters it understands there. The first match counts. */
const OPERATIONS: {
  name: Operation;
  methods: string[];
  on: 'service' | 'bucket' | 'object';
  needs?: string[];
  allows?: string[];
}[] = [
  { name: 'ListBuckets', methods: ['GET'], on: 'service' },
  {
    name: 'ListMultipartUploads',
    methods: ['GET'],
    on: 'bucket',
    needs: ['uploads'],
    allows: ['prefix', 'key-marker', 'upload-id-marker', 'max-uploads'],
  },
  { name: 'ListObjects', methods: ['GET', 'HEAD'], on: 'bucket', allows: [...LISTING, 'encoding-type', 'fetch-owner'] },
  {
    name: 'ListParts',
    methods: ['GET'],
    on: 'object',
    needs: ['uploadId'],
    allows: ['max-parts', 'part-number-marker'],
  },
  { name: 'GetObject', methods: ['GET', 'HEAD'], on: 'object' },
  { name: 'UploadPart', methods: ['PUT'], on: 'object', needs: ['uploadId', 'partNumber'] },
  { name: 'PutObject', methods: ['PUT'], on: 'object' },
  { name: 'CreateMultipartUpload', methods: ['POST'], on: 'object', needs: ['uploads'] },
  { name: 'CompleteMultipartUpload', methods: ['POST'], on: 'object', needs: ['uploadId'] },
  { name: 'AbortMultipartUpload', methods: ['DELETE'], on: 'object', needs: ['uploadId'] },
  { name: 'DeleteObject', methods: ['DELETE'], on: 'object' },
];

/**
 * Says which of S3's operations a request asks for. What is not in the table gets 501: s3rver's own POST forms
 * ignore every condition of their policy, its DeleteObjects takes keys with `..`, its copies read any bucket.
 */
export function chooseOperation(method: string, { bucket, key, query }: RequestTarget): Operation {
  const on = key !== undefined ? 'object' : bucket !== undefined ? 'bucket' : 'service';
  const candidates = OPERATIONS.filter((each) => each.methods.includes(method) && each.on === on);
  const operation = candidates.find(({ needs = [] }) => needs.every((name) => query.has(name)));
  if (!operation) throw notImplemented(`${method} on this ${on}`);

  const understood = new Set([...(operation.needs ?? []), ...(operation.allows ?? [])]);
  const unknown = [...query.keys()].find((name) => !understood.has(name) && !isForEveryOperation(name));
  if (unknown !== undefined) throw notImplemented(`${operation.name} with the query parameter ${unknown}`);
  return operation.name;
}

/** The signature's own parameters, the SDK's remark about the operation, and headers that a GET forces. */
function isForEveryOperation(name: string): boolean {
  return name === 'x-id' || name.toLowerCase().startsWith('x-amz-') || name.startsWith('response-');
}

/** Headers of S3 that this store obeys, or may ignore without breaking a promise. */
const UNDERSTOOD_HEADERS = new Set([
  'x-amz-algorithm',
  'x-amz-credential',
  'x-amz-signature',
  'x-amz-signedheaders',
  'x-amz-expires',
  'x-amz-date',
  'x-amz-content-sha256',
  'x-amz-user-agent',
  'x-amz-acl',
  'x-amz-checksum-sha256',
  'x-amz-checksum-crc32',
  'x-amz-checksum-sha1',
  'x-amz-checksum-mode',
  'x-amz-checksum-algorithm',
  'x-amz-checksum-type',
  'x-amz-sdk-checksum-algorithm',
  'x-amz-storage-class',
]);

/** Refuses what a real S3 would obey and this store would silently ignore: copies, public ACLs, tags, encryption. */
export function refuseUnknownAmzHeaders(headers: Record<string, string>): void {
  const unknown = Object.keys(headers).find(
    (name) => name.startsWith('x-amz-') && !name.startsWith('x-amz-meta-') && !UNDERSTOOD_HEADERS.has(name),
  );
  if (unknown !== undefined) throw notImplemented(`The header ${unknown}`);
  const acl = headers['x-amz-acl'] ?? 'private';
  if (acl !== 'private' && acl !== 'bucket-owner-full-control') {
    throw new S3Error('AccessControlListNotSupported', 'The bucket does not allow ACLs');
  }
}

function notImplemented(what: string): S3Error {
  return new S3Error('NotImplemented', `${what}: this functionality is not implemented by the development store.`);
}
