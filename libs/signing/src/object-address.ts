import { S3Client } from '@aws-sdk/client-s3';

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
  const { url, properties } = endpointProvider({
    Bucket: location.bucket,
    Region: location.region,
    ForcePathStyle: location.forcePathStyle,
    ...(location.endpoint === null ? {} : { Endpoint: location.endpoint }),
    UseFIPS: false,
    UseDualStack: false,
    Accelerate: false,
    DisableMultiRegionAccessPoints: false,
    UseArnRegion: false,
  });
  assertPlainBucket(location, properties?.['authSchemes']);
  return `${url.origin}${url.pathname.replace(/\/$/, '')}/${key.split('/').map(escapeUri).join('/')}`;
}

/** Some names mean another signature: an Outposts alias is another service, and `aws-global` is signed as `us-east-1`. */
function assertPlainBucket({ region, bucket }: Location, authSchemes: unknown): void {
  const [scheme] = authSchemes as { name: string; signingName: string; signingRegion?: string }[];
  if (scheme?.name === 'sigv4' && scheme.signingName === 's3' && scheme.signingRegion === region) return;
  throw new Error(`"${bucket}" in "${region}" is not signed as a bucket of S3 in that region`);
}

/** RFC 3986 §2.3: everything but the unreserved characters (SigV4, "Canonical URI": encoded once for S3). */
export function escapeUri(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
