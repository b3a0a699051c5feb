import { createHmac } from 'node:crypto';
import type { ObjectsCredential } from './objects.js';

/** What a form may do: one object, of a size within limits. */
export interface FormTerms {
  bucket: string;
  region: string;
  key: string;
  minBytes: number;
  maxBytes: number;
  issuedAt: Date;
  expiresInSeconds: number;
}

/**
 * The fields of a signed upload form (Amazon S3 API Reference, "Authenticating Requests: Browser-Based Uploads Using POST"). Whoever has
 * them can upload until they expire, so they go to the store and to nobody else.
 */
export function postForm(terms: FormTerms, { accessKeyId, secretAccessKey, sessionToken }: ObjectsCredential) {
  const { bucket, region, key, minBytes, maxBytes, issuedAt, expiresInSeconds } = terms;
  const at = issuedAt.toISOString().replace(/[:-]|\.\d{3}/g, '');
  const scope = [at.slice(0, 8), region, 's3', 'aws4_request'];
  const fields = {
    key,
    'x-amz-algorithm': 'AWS4-HMAC-SHA256',
    'x-amz-credential': [accessKeyId, ...scope].join('/'),
    'x-amz-date': at,
    ...(sessionToken === undefined ? {} : { 'x-amz-security-token': sessionToken }),
  };
  const policy = Buffer.from(
    JSON.stringify({
      expiration: new Date(issuedAt.getTime() + expiresInSeconds * 1000).toISOString(),
      conditions: [
        { bucket },
        ...Object.entries(fields).map(([name, value]) => ({ [name]: value })),
        ['content-length-range', minBytes, maxBytes],
      ],
    }),
  ).toString('base64');
  const signingKey = scope.reduce<string | Buffer>(hmac, `AWS4${secretAccessKey}`);
  return { ...fields, policy, 'x-amz-signature': hmac(signingKey, policy).toString('hex') };
}

const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();
