import { objectAddress } from '@countersign/signing';
import { isAws } from '../http/endpoint.js';
import { invalid } from '../http/request-validation.pipe.js';
import type { BucketChanges, BucketRequest } from './buckets.dto.js';

/** Where a bucket is at its store. */
export interface BucketLocation {
  endpoint: string | null;
  publicEndpoint: string | null;
  region: string;
  bucket: string;
  keyPrefix: string;
  forcePathStyle: boolean;
  acl: 'private' | 'none';
}

/** What a registration says, and for what it leaves out, what suits its endpoint. */
export function toLocation(request: BucketRequest): BucketLocation {
  const isElsewhere = !isAws(request.endpoint);
  return {
    endpoint: request.endpoint ?? null,
    publicEndpoint: request.publicEndpoint ?? null,
    region: request.region,
    bucket: request.bucket,
    keyPrefix: request.keyPrefix ?? '',
    forcePathStyle: request.forcePathStyle ?? isElsewhere,
    acl: request.acl ?? (isElsewhere ? 'private' : 'none'),
  };
}

export function changedLocation(stored: BucketLocation, changes: BucketChanges): BucketLocation {
  const { bucket, keyPrefix } = stored;
  return {
    endpoint: changes.endpoint === undefined ? stored.endpoint : changes.endpoint,
    publicEndpoint: changes.publicEndpoint === undefined ? stored.publicEndpoint : changes.publicEndpoint,
    region: changes.region ?? stored.region,
    bucket,
    keyPrefix,
    forcePathStyle: changes.forcePathStyle ?? stored.forcePathStyle,
    acl: changes.acl ?? stored.acl,
  };
}

/** What the SDK finds no address for now, it would not find one for later either, when a user waits for a URL. */
export function assertAddressable(location: BucketLocation): void {
  try {
    objectAddress({ ...location, endpoint: location.publicEndpoint ?? location.endpoint }, 'key');
  } catch {
    throw invalid([{ pointer: '/region', message: 'and endpoint give no address that S3 knows' }]);
  }
}
