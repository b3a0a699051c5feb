import { IsBoolean, IsInt, Max, Min } from 'class-validator';
import {
  IsContentType,
  IsFilename,
  IsLookedUpName,
  IsObjectKey,
  IsPrefix,
  IsSha256Base64,
  Optional,
} from '../http/validators.js';
import { IssuedUrl } from '../issuance/issued-url.dto.js';

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
  @Max(Number.MAX_SAFE_INTEGER) @Min(0) @IsInt() contentLength!: number;

  /** The Base64 of the body's SHA-256, for stores that check it. */
  @Optional() @IsSha256Base64() checksumSha256?: string;

  /** Whether an object that is there already may be replaced; the use case must allow it. */
  @Optional() @IsBoolean() overwrite?: boolean = false;

  /** How long the URL is to work; the use case's default, if it has one. */
  @Optional() @Min(1) @IsInt() expiresInSeconds?: number;
}

/** A presigned upload URL and what it can do. */
export class IssuedUploadUrl extends IssuedUrl {
  uploadId!: string;

  /** The exact number of bytes that the URL takes. */
  contentLength!: number;
}
