import { S3Client } from '@aws-sdk/client-s3';
import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';

/** Where a bucket is: what the store's address is made of. */
export interface Location {
  /** The endpoint that clients see; null for AWS itself. */
  endpoint: string | null;
  region: string;
  bucket: string;
  forcePathStyle: boolean;
}

/** The SDK's own rules (virtual-host or path style, partitions, dotted names, IP addresses); the client is never used to send anything. */
const { endpointProvider } = new S3Client({
  region: 'us-east-1',
  credentials: { accessKeyId: 'unused', secretAccessKey: 'unused' },
}).config;

/**
 * The address of an object, without a query: what a client's URL will begin with, byte for byte. Made for the endpoint that the client
 * will use, since the host is signed: one that is replaced afterwards breaks the signature.
 * @throws where the SDK finds that there is no such place (a malformed region, say), or would sign for it in another way than we do.
 */
export function objectAddress(location: Location, key: string): string {
  return objectAddressIn(addressOf(location), key);
}

/** Where a form is sent: the bucket's own address. */
export function bucketAddress(location: Location): string {
  return bucketAddressIn(addressOf(location));
}

/** The same for many objects in few buckets: the SDK's rules take longer than signing, and are asked once a bucket. */
@Injectable()
export class ObjectAddresses {
  readonly #known = new LRUCache<string, string>({ max: 10_000 });
  #last: { location: Location; address: string } | null = null;

  of(location: Location, key: string): string {
    return objectAddressIn(this.#addressOf(location), key);
  }

  ofBucket(location: Location): string {
    return bucketAddressIn(this.#addressOf(location));
  }

  /** A batch asks for the same one a thousand times. */
  #addressOf(location: Location): string {
    if (!this.#last || !isSame(this.#last.location, location))
      this.#last = { location: { ...location }, address: this.#knownAddressOf(location) };
    return this.#last.address;
  }

  #knownAddressOf(location: Location): string {
    const { endpoint, region, bucket, forcePathStyle } = location;
    const id = `${region} ${bucket} ${forcePathStyle} ${endpoint ?? ''}`;
    const known = this.#known.get(id);
    if (known !== undefined) return known;
    const address = addressOf(location);
    this.#known.set(id, address);
    return address;
  }
}

const isSame = (one: Location, other: Location): boolean =>
  one.bucket === other.bucket &&
  one.region === other.region &&
  one.endpoint === other.endpoint &&
  one.forcePathStyle === other.forcePathStyle;

function addressOf(location: Location): string {
  const { endpoint, region, bucket, forcePathStyle } = location;
  const { url, properties } = endpointProvider({
    Bucket: bucket,
    Region: region,
    ForcePathStyle: forcePathStyle,
    ...(endpoint === null ? {} : { Endpoint: endpoint }),
    UseFIPS: false,
    UseDualStack: false,
    Accelerate: false,
    DisableMultiRegionAccessPoints: false,
    UseArnRegion: false,
  });
  assertPlainBucket(location, properties?.['authSchemes']);
  return `${url.origin}${url.pathname.replace(/\/$/, '')}`;
}

/** As a browser has it: with a path, be it only the slash. */
function bucketAddressIn(address: string): string {
  return new URL(address).pathname === '/' ? `${address}/` : address;
}

function objectAddressIn(address: string, key: string): string {
  return `${address}/${PLAIN_PATH.test(key) ? key : key.split('/').map(escapeUri).join('/')}`;
}

/** Some names mean another signature: an Outposts alias is another service, and `aws-global` is signed as `us-east-1`. */
function assertPlainBucket({ region, bucket }: Location, authSchemes: unknown): void {
  const [scheme] = authSchemes as { name: string; signingName: string; signingRegion?: string }[];
  if (scheme?.name === 'sigv4' && scheme.signingName === 's3' && scheme.signingRegion === region) return;
  throw new Error(`"${bucket}" in "${region}" is not signed as a bucket of S3 in that region`);
}

/** RFC 3986 §2.3: everything but the unreserved characters (SigV4, "Canonical URI": encoded once for S3). */
export function escapeUri(text: string): string {
  if (UNRESERVED.test(text)) return text;
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

const UNRESERVED = /^[A-Za-z0-9._~-]*$/;

const PLAIN_PATH = /^[A-Za-z0-9._~/-]*$/;
