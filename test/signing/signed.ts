import { randomUUID } from 'node:crypto';
import type { UrlTerms } from '@countersign/ledger';
import {
  bucketAddress,
  contentDisposition,
  downloadTerms,
  formTerms,
  objectAddress,
  partsTerms,
  uploadTerms,
  UrlSigner,
} from '@countersign/signing';
import { createPresignedPost } from '@aws-sdk/s3-presigned-post';
import { GetObjectCommand, HeadObjectCommand, PutObjectCommand, S3Client, UploadPartCommand } from '@aws-sdk/client-s3';
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

/** Our form, and where it is sent. */
export function signForm(signingCase: SigningCase): { url: string; fields: Record<string, string> } {
  const { location, key, credential, upload, contentLengthRange } = signingCase;
  const url = bucketAddress(location);
  const form = { ...upload, bucket: location.bucket, key, contentLengthRange };
  const receipt = new Receipt(randomUUID(), formTerms({ ...issuanceOf(signingCase), url }, form));
  return { url, fields: new UrlSigner().signForm(receipt, credential) };
}

/** Our URLs of parts. */
export function signParts(signingCase: SigningCase): Promise<{ partNumber: number; url: string }[]> {
  const { credential, storeUploadId: uploadId, parts } = signingCase;
  const terms = partsTerms(issuanceOf(signingCase), { uploadId, parts });
  return new UrlSigner().signParts(new Receipt(randomUUID(), terms), credential);
}

async function sign({ credential }: SigningCase, terms: UrlTerms): Promise<string> {
  return new UrlSigner().sign(new Receipt(randomUUID(), terms), credential);
}

export function issuanceOf({ location, key, credential, issuedAt, expiresInSeconds }: SigningCase) {
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
    ...(upload.uploadId !== null && { Metadata: { 'countersign-upload': upload.uploadId } }),
  });
  return presign(signingCase, command);
}

/** What the SDK gives for the same form at the same instant. */
export async function presignForm({ location, key, credential, issuedAt, expiresInSeconds, ...rest }: SigningCase) {
  const { upload, contentLengthRange } = rest;
  const client = clientOf(location, credential);
  // It has no parameter for the instant: its clock is set, to a moment within the second.
  client.config.systemClockOffset = issuedAt * 1000 + 100 - Date.now();
  const post = await createPresignedPost(client, {
    Bucket: location.bucket,
    Key: key,
    Conditions: [['content-length-range', contentLengthRange.min, contentLengthRange.max]],
    Fields: {
      'Content-Type': upload.contentType,
      ...(upload.disposition && { 'Content-Disposition': upload.disposition }),
      ...(upload.acl !== 'none' && { acl: upload.acl }),
      ...(upload.checksumSha256 !== null && { 'x-amz-checksum-sha256': upload.checksumSha256 }),
      ...(upload.uploadId !== null && { 'x-amz-meta-countersign-upload': upload.uploadId }),
    },
    Expires: expiresInSeconds,
  });
  client.destroy();
  return post;
}

/** What the SDK gives for the same parts at the same instant. */
export function presignParts(signingCase: SigningCase): Promise<{ partNumber: number; url: string }[]> {
  const { location, key, storeUploadId, parts } = signingCase;
  const presigned = parts.map(async ({ partNumber, contentLength, checksumSha256 }) => {
    const command = new UploadPartCommand({
      Bucket: location.bucket,
      Key: key,
      UploadId: storeUploadId,
      PartNumber: partNumber,
      ContentLength: contentLength,
      ...(checksumSha256 !== null && { ChecksumSHA256: checksumSha256 }),
    });
    return { partNumber, url: await presign(signingCase, command, []) };
  });
  return Promise.all(presigned);
}

async function presign(
  { location, credential, issuedAt, expiresInSeconds }: SigningCase,
  command: GetObjectCommand | HeadObjectCommand | PutObjectCommand | UploadPartCommand,
  signable = ['content-type'],
): Promise<string> {
  const client = clientOf(location, credential);
  const url = await getSignedUrl(client, command as PutObjectCommand, {
    expiresIn: expiresInSeconds,
    signingDate: new Date(issuedAt * 1000),
    signableHeaders: new Set(signable),
    unhoistableHeaders: new Set(['x-amz-acl', 'x-amz-checksum-sha256', 'x-amz-meta-countersign-upload']),
  });
  client.destroy();
  return url;
}

function clientOf(location: SigningCase['location'], { signingKeyId: _, ...credentials }: SigningCase['credential']) {
  return new S3Client({
    region: location.region,
    ...(location.endpoint !== null && { endpoint: location.endpoint }),
    forcePathStyle: location.forcePathStyle,
    credentials,
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  });
}
