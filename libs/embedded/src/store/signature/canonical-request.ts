import { createHash, createHmac } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { encodeRfc3986, type RequestTarget } from '../request-target.js';
import { single, type ClaimedSignature } from './claimed-signature.js';

/**
 * SigV4, "Create a canonical request", by the rules of S3: the path is encoded once and never normalised. Made
 * from the decoded target, so that what is signed is what the store is going to do.
 */
export function canonicalRequest(
  method: string,
  { path, query }: RequestTarget,
  headers: IncomingHttpHeaders,
  { signedHeaders, payloadHash }: ClaimedSignature,
): string {
  return [
    method,
    path,
    canonicalQuery(query),
    ...signedHeaders.map((name) => `${name}:${canonicalValue(headers, name)}`),
    '',
    signedHeaders.join(';'),
    payloadHash,
  ].join('\n');
}

/** SigV4, "Create a string to sign". */
export function stringToSign(canonical: string, { timestamp, day, region }: ClaimedSignature): string {
  const hash = createHash('sha256').update(canonical).digest('hex');
  return ['AWS4-HMAC-SHA256', timestamp, `${day}/${region}/s3/aws4_request`, hash].join('\n');
}

/** SigV4, "Calculate the signature", in hex. */
export function calculateSignature(secretAccessKey: string, text: string, { day, region }: ClaimedSignature): string {
  const scope = [day, region, 's3', 'aws4_request'];
  const key = scope.reduce<string | Buffer>(
    (parent, part) => createHmac('sha256', parent).update(part).digest(),
    `AWS4${secretAccessKey}`,
  );
  return createHmac('sha256', key).update(text).digest('hex');
}

/** Sorted by code point after encoding; the signature itself cannot be part of what it signs. */
function canonicalQuery(query: ReadonlyMap<string, string>): string {
  return [...query]
    .filter(([name]) => name !== 'X-Amz-Signature')
    .map(([name, value]) => [encodeRfc3986(name), encodeRfc3986(value)] as const)
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([name, value]) => `${name}=${value}`)
    .join('&');
}

/** A signed header that the request lacks counts as empty, and so spoils the signature. */
function canonicalValue(headers: IncomingHttpHeaders, name: string): string {
  const value = Object.hasOwn(headers, name) ? (single(headers[name]) ?? '') : '';
  return value.trim().replace(/ +/g, ' ');
}
