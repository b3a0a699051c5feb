import { randomUUID } from 'node:crypto';
import { contentDisposition, downloadTerms, objectAddress, uploadTerms, UrlSigner } from '@countersign/signing';
import { GetObjectCommand, HeadObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
// Not what the index gives: there it is a type, and only the ledger can make one.
import { Receipt } from '../../libs/ledger/src/receipt.js';
import type { SigningCase } from './cases.js';

/** Our URL of a download. */
export function signDownload(signingCase: SigningCase): Promise<string> {
  return sign(signingCase, downloadTerms(issuanceOf(signingCase), signingCase.download));
}

/** Our URL of an upload. */
export function signUpload(signingCase: SigningCase): Promise<string> {
  return sign(signingCase, uploadTerms(issuanceOf(signingCase), signingCase.upload));
}

function sign({ credential }: SigningCase, terms: Receipt['terms']): Promise<string> {
  return new UrlSigner().sign(new Receipt(randomUUID(), terms), credential);
}

function issuanceOf({ location, key, credential, issuedAt, expiresInSeconds }: SigningCase) {
  const { signingKeyId } = credential;
  return { url: objectAddress(location, key), region: location.region, issuedAt, expiresInSeconds, signingKeyId };
}

/** What the SDK gives for the same download at the same instant. */
export function presignDownload(signingCase: SigningCase): Promise<string> {
  const { location, key, download } = signingCase;
  const { method, disposition, filename, contentType, versionId } = download;
  const input = {
    Bucket: location.bucket,
    Key: key,
    ...(disposition && { ResponseContentDisposition: contentDisposition(disposition, filename ?? undefined) }),
    ...(contentType !== null && { ResponseContentType: contentType }),
    ...(versionId !== null && { VersionId: versionId }),
  };
  return presign(signingCase, method === 'GET' ? new GetObjectCommand(input) : new HeadObjectCommand(input));
}

/** What the SDK gives for the same upload at the same instant. */
export function presignUpload(signingCase: SigningCase): Promise<string> {
  const { location, key, upload } = signingCase;
  const command = new PutObjectCommand({
    Bucket: location.bucket,
    Key: key,
    ContentType: upload.contentType,
    ContentLength: upload.contentLength,
    ...(upload.checksumSha256 !== null && { ChecksumSHA256: upload.checksumSha256 }),
    ...(!upload.overwrite && { IfNoneMatch: '*' }),
    ...(upload.acl !== 'none' && { ACL: upload.acl }),
    ...(upload.disposition && { ContentDisposition: upload.disposition }),
  });
  return presign(signingCase, command);
}

async function presign(
  { location, credential, issuedAt, expiresInSeconds }: SigningCase,
  command: GetObjectCommand | HeadObjectCommand | PutObjectCommand,
): Promise<string> {
  const { signingKeyId: _, ...credentials } = credential;
  const client = new S3Client({
    region: location.region,
    ...(location.endpoint !== null && { endpoint: location.endpoint }),
    forcePathStyle: location.forcePathStyle,
    credentials,
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  });
  const url = await getSignedUrl(client, command, {
    expiresIn: expiresInSeconds,
    signingDate: new Date(issuedAt * 1000),
    signableHeaders: new Set(['content-type']),
    unhoistableHeaders: new Set(['x-amz-acl', 'x-amz-checksum-sha256']),
  });
  client.destroy();
  return url;
}
