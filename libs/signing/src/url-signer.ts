import { Injectable } from '@nestjs/common';
import { S3RequestPresigner } from '@aws-sdk/s3-request-presigner';
import { type Receipt, isReceipt } from '@countersign/ledger';
import { HttpRequest } from '@smithy/protocol-http';
import { escapeUri } from './object-address.js';
import { Sha256 } from './sha256.js';

/** The secret of one signing key, unsealed. */
export interface Credential {
  signingKeyId: string;
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
}

/** Signs; local CPU, no network. */
@Injectable()
export class UrlSigner {
  /**
   * The presigned URL of a receipt's terms: byte for byte what `getSignedUrl` of `@aws-sdk/s3-request-presigner` gives for them.
   *
   * It takes a receipt because there is no URL without its ledger row (invariant 1), and signs with the signing key that the row names
   * and no other, or a rotation would not know what it kills.
   * @throws TypeError for anything that the ledger did not make, and for another key's credential.
   */
  async sign(receipt: Receipt, { signingKeyId, ...credentials }: Credential): Promise<string> {
    if (!isReceipt(receipt)) throw new TypeError('only a receipt of the ledger can be signed');
    const { terms } = receipt;
    if (terms.signingKeyId !== signingKeyId)
      throw new TypeError("the credential is not that of the receipt's signing key");

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
}

function toHttpRequest({ method, url, headers, query }: Receipt['terms']): HttpRequest {
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
