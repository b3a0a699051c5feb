// Does our signer give byte for byte what getSignedUrl gives? Every kind of URL, at every kind of place, with and without a session token.
import { GetObjectCommand, HeadObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { Receipt } from '../../../dist/libs/ledger/src/receipt.js';
import { contentDisposition, downloadTerms, uploadTerms, UrlSigner } from '../../../dist/libs/signing/src/index.js';
import { clientOf, credentialOf, DOWNLOAD, issuanceOf, location, UPLOAD } from './material.mjs';

export async function countDifferences() {
  let compared = 0;
  let different = 0;
  for (const { place, credential, key, terms, command } of cases()) {
    const issuance = issuanceOf(key, credential, place);
    const mine = new UrlSigner().sign(new Receipt('compared', terms(issuance)), credential);
    const theirs = await getSignedUrl(clientOf(place, credential), command, {
      expiresIn: issuance.expiresInSeconds,
      signingDate: new Date(issuance.issuedAt * 1000),
      signableHeaders: new Set(['content-type']),
      unhoistableHeaders: new Set(['x-amz-acl', 'x-amz-checksum-sha256', 'x-amz-meta-countersign-upload']),
    });
    compared++;
    if (mine !== theirs) different++;
  }
  return { compared, different };
}

function* cases() {
  const places = [
    location,
    { ...location, bucket: 'my.photos' },
    { ...location, endpoint: 'https://storage.example.com:8443/base', region: 'us-east-1' },
    { ...location, endpoint: 'http://127.0.0.1:9000', forcePathStyle: true },
  ];
  const credentials = [credentialOf(1), { ...credentialOf(2), sessionToken: 'FwoGZXIvYXdzE+/=' }];
  const keys = ['a/b.png', "sp ace/ü(1)+!'*.png", '日本/😀'];
  for (const place of places)
    for (const credential of credentials)
      for (const key of keys) {
        const target = { Bucket: place.bucket, Key: key };
        for (const download of downloadsToCompare()) {
          const command = toDownloadCommand(target, download);
          yield { place, credential, key, terms: (issuance) => downloadTerms(issuance, download), command };
        }
        for (const upload of uploadsToCompare()) {
          const command = toUploadCommand(target, upload);
          yield { place, credential, key, terms: (issuance) => uploadTerms(issuance, upload), command };
        }
      }
}

const downloadsToCompare = () => [
  DOWNLOAD,
  { ...DOWNLOAD, method: 'HEAD' },
  { ...DOWNLOAD, disposition: 'attachment', filename: 'résumé (1).pdf', contentType: 'application/pdf' },
  { ...DOWNLOAD, disposition: 'inline', versionId: '3/L4kqtJlcpXroDTDmJ+rmSpXd3dIbrHY' },
];

const uploadsToCompare = () => [
  UPLOAD,
  { ...UPLOAD, overwrite: true, acl: 'none', contentType: 'text/plain; charset=utf-8', contentLength: 0 },
  { ...UPLOAD, checksumSha256: 'n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg=', disposition: 'attachment' },
  { ...UPLOAD, uploadId: null },
];

function toDownloadCommand(target, { method, disposition, filename, contentType, versionId }) {
  const input = {
    ...target,
    ...(disposition && { ResponseContentDisposition: contentDisposition(disposition, filename ?? undefined) }),
    ...(contentType && { ResponseContentType: contentType }),
    ...(versionId && { VersionId: versionId }),
  };
  return method === 'GET' ? new GetObjectCommand(input) : new HeadObjectCommand(input);
}

function toUploadCommand(
  target,
  { contentType, contentLength, checksumSha256, overwrite, acl, disposition, uploadId },
) {
  return new PutObjectCommand({
    ...target,
    ContentType: contentType,
    ContentLength: contentLength,
    ...(checksumSha256 && { ChecksumSHA256: checksumSha256 }),
    ...(!overwrite && { IfNoneMatch: '*' }),
    ...(acl !== 'none' && { ACL: acl }),
    ...(disposition && { ContentDisposition: disposition }),
    ...(uploadId && { Metadata: { 'countersign-upload': uploadId } }),
  });
}
