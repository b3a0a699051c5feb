// What is signed, and with what.
import { S3Client } from '@aws-sdk/client-s3';
import { objectAddress } from '../../../dist/libs/signing/src/index.js';

export const location = { endpoint: null, region: 'eu-central-1', bucket: 'acme-files', forcePathStyle: false };

export const credentialOf = (tenant) => ({
  signingKeyId: `33333333-3333-4333-8333-${tenant.toString(16).padStart(12, '0')}`,
  accessKeyId: `AKIA${String(tenant).padStart(16, '0')}`,
  secretAccessKey: `wJalrXUtnFEMI/K7MDENG/bPxRfiC/${String(tenant).padStart(10, '0')}`,
});

export const keyOf = (n) => `users/${n % 977}/photos/2026/img-${n}.png`;

export const DOWNLOAD = { method: 'GET', disposition: null, filename: null, contentType: null, versionId: null };
export const UPLOAD = {
  contentType: 'image/png',
  contentLength: 48_213,
  checksumSha256: null,
  overwrite: false,
  acl: 'private',
  disposition: null,
  uploadId: '5b0f0a52-6c1e-4f5e-9a55-0d6c0f1f3c11',
};

export function issuanceOf(key, { signingKeyId }, place = location) {
  const issuedAt = Math.floor(Date.now() / 1000);
  return { url: objectAddress(place, key), region: place.region, issuedAt, expiresInSeconds: 900, signingKeyId };
}

export const clientOf = ({ region, endpoint, forcePathStyle }, { signingKeyId: _, ...credentials }) =>
  new S3Client({
    region,
    ...(endpoint && { endpoint }),
    forcePathStyle,
    credentials,
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  });
