import { IsBoolean, Max, Min } from 'class-validator';
import { ByteCount, Example, Uuid } from '../http/fields.js';
import {
  IsContentType,
  IsFilename,
  IsInteger,
  IsLookedUpName,
  IsObjectKey,
  IsPrefix,
  IsSha256Base64,
  Optional,
} from '../http/validators.js';
import { ISSUED_URL, IssuedUrl } from '../issuance/issued-url.dto.js';

@Example<UploadUrlRequest>({
  bucket: 'files',
  key: 'users/alice/photo.png',
  contentType: 'image/png',
  contentLength: 48_213,
})
export class UploadUrlRequest {
  /** The bucket's registered name. */
  @IsLookedUpName() bucket!: string;

  /** The object's key: 1 to 1,024 bytes of UTF-8 in NFC, without empty, `.` or `..` segments. Either this or `filename`. */
  @Optional() @IsObjectKey() key?: string;

  /** With `filename`: what the key begins with; empty, or ending in `/`. */
  @Optional() @IsPrefix() prefix?: string;

  /** Instead of `key`: the key is `prefix` and this. */
  @Optional() @IsFilename() filename?: string;

  /** The tenant's policy for this purpose. */
  @Optional() @IsLookedUpName() useCase?: string = 'upload';

  /** The Content-Type that the upload must have, byte for byte. */
  @IsContentType() contentType!: string;

  /** The exact number of bytes. */
  @ByteCount() @Max(Number.MAX_SAFE_INTEGER) @Min(0) @IsInteger() contentLength!: number;

  /** The Base64 of the body's SHA-256, for stores that check it. */
  @Optional() @IsSha256Base64() checksumSha256?: string;

  /** Whether an object that is there already may be replaced; the use case must allow it. */
  @Optional() @IsBoolean() overwrite?: boolean = false;

  /** How long the URL is to work; the use case's default, if it has one. */
  @Optional() @Min(1) @IsInteger() expiresInSeconds?: number;
}

/** An example: its signature is none. */
export const ISSUED_UPLOAD_URL: IssuedUploadUrl = {
  ...ISSUED_URL,
  method: 'PUT',
  headers: { 'content-type': 'image/png', 'if-none-match': '*', 'x-amz-acl': 'private' },
  useCase: 'upload',
  uploadId: ISSUED_URL.issuanceId,
  contentLength: 48_213,
};

/** A presigned upload URL and what it can do. */
@Example<IssuedUploadUrl>(ISSUED_UPLOAD_URL)
export class IssuedUploadUrl extends IssuedUrl {
  /** Names the upload, from this URL to its completion. */
  @Uuid() uploadId!: string;

  /** The exact number of bytes that the URL takes. */
  @ByteCount() contentLength!: number;
}
