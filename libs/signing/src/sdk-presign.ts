import { S3RequestPresigner } from '@aws-sdk/s3-request-presigner';
import type { UrlTerms } from '@countersign/ledger';
import { Sha256 } from '@smithy/core/checksum';
import { HttpRequest } from '@smithy/protocol-http';
import { escapeUri } from './object-address.js';
import type { Credential } from './derived-keys.js';

/** The presigned URL of these terms as the AWS SDK makes it. */
export async function sdkPresign(terms: UrlTerms, { signingKeyId: _, ...credentials }: Credential): Promise<string> {
  const presigner = new S3RequestPresigner({ region: terms.region, credentials, sha256: Sha256 });
  const { query } = await presigner.presign(toHttpRequest(terms), {
    signingDate: new Date(terms.issuedAt * 1000),
    expiresIn: terms.expiresInSeconds,
    // The presigner leaves Content-Type out and moves x-amz-* into the query, where stores ignore it. It writes into these sets.
    signableHeaders: new Set(['content-type', 'host', ...Object.keys(terms.headers)]),
    unhoistableHeaders: new Set(Object.keys(terms.headers)),
  });
  return `${terms.url}?${toQueryString(query)}`;
}

function toHttpRequest({ method, url, headers, query }: UrlTerms): HttpRequest {
  const { protocol, hostname, port, host, pathname } = new URL(url);
  return new HttpRequest({
    method,
    protocol,
    hostname,
    ...(port === '' ? {} : { port: Number(port) }),
    path: pathname,
    query: { ...query },
    headers: { ...headers, host },
  });
}

function toQueryString(query: Record<string, string | string[] | null> = {}): string {
  return Object.keys(query)
    .sort()
    .map((name) => `${escapeUri(name)}=${escapeUri(String(query[name]))}`)
    .join('&');
}
