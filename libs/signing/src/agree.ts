import type { UrlTerms } from '@countersign/ledger';
import { partsTerms, partUrlTerms } from './parts.js';
import { downloadTerms, uploadTerms } from './s3-terms.js';
import type { Credential } from './derived-keys.js';

export type Presign = (terms: UrlTerms, credential: Credential) => string | Promise<string>;

/** Whether two ways to sign give the same URLs, byte for byte, for terms of every kind that we sign. */
export async function agree(one: Presign, another: Presign): Promise<boolean> {
  for (const terms of PROBES) {
    if ((await one(terms, PROBE_CREDENTIAL)) !== (await another(terms, PROBE_CREDENTIAL))) return false;
  }
  return true;
}

/** Signs nothing that any store believes. */
const PROBE_CREDENTIAL: Credential = {
  signingKeyId: 'probe',
  accessKeyId: 'PROBE',
  secretAccessKey: 'probe/secret',
  sessionToken: 'probe+token==',
};

const PROBE = {
  url: 'https://s3.example.com:9000/bucket/a%20b%2B%C3%BC.png',
  region: 'eu-central-1',
  issuedAt: Date.UTC(2027, 0, 31, 12) / 1000,
  expiresInSeconds: 900,
  signingKeyId: PROBE_CREDENTIAL.signingKeyId,
};

const PARTS = partsTerms(PROBE, {
  uploadId: '2~a+b/c=',
  parts: [
    { partNumber: 1, contentLength: 8_388_608, checksumSha256: 'LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=' },
    { partNumber: 10_000, contentLength: 1, checksumSha256: null },
  ],
});

const PROBES: readonly UrlTerms[] = [
  downloadTerms(PROBE, {
    method: 'GET',
    disposition: 'attachment',
    filename: "Größe (1)'*.png",
    contentType: 'text/plain; charset=utf-8',
    versionId: 'a+b/c',
  }),
  downloadTerms(PROBE, { method: 'HEAD', disposition: null, filename: null, contentType: null, versionId: null }),
  uploadTerms(PROBE, {
    contentType: 'image/svg+xml',
    contentLength: 5,
    checksumSha256: 'LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=',
    overwrite: false,
    acl: 'private',
    disposition: 'attachment',
    uploadId: '5b0f0a52-6c1e-4f5e-9a55-0d6c0f1f3c11',
  }),
  ...PARTS.parts.map((part) => partUrlTerms(PARTS, part)),
];
