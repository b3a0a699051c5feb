import { ApiExtraModels, ApiSchema, type ApiSchemaOptions, getSchemaPath } from '@nestjs/swagger';
import { IsBoolean, IsIn, Max, Min } from 'class-validator';
import { ByteCount, Example, Integer, Uri, Uuid } from '../http/fields.js';
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
import { ISSUED_URL, Issuance } from '../issuance/issued-url.dto.js';
import { ContentLengthRange, IsContentLengthRange } from './content-length-range.dto.js';

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

  /**
   * How it is uploaded: by one PUT of an exact size, by one form of a size within a range, or in parts. `auto` is a form where a range
   * is given, one PUT up to 64 MiB, and parts above.
   */
  @Optional() @IsIn(['put', 'post', 'multipart', 'auto']) mode?: 'put' | 'post' | 'multipart' | 'auto' = 'put';

  /** The exact number of bytes. Either this or `contentLengthRange`. */
  @ByteCount() @Optional() @Max(Number.MAX_SAFE_INTEGER) @Min(0) @IsInteger() contentLength?: number;

  /** Of a form: the sizes that are taken. */
  @Optional() @IsContentLengthRange() contentLengthRange?: ContentLengthRange;

  /** The Base64 of the whole body's SHA-256: the completion verifies it, and a store that checks it refuses any other. */
  @Optional() @IsSha256Base64() checksumSha256?: string;

  /** Whether an object that is there already may be replaced; the use case must allow it. */
  @Optional() @IsBoolean() overwrite?: boolean = false;

  /** How long the URL is to work, or an upload in parts may take; the use case's default, if it has one. */
  @Optional() @Min(1) @IsInteger() expiresInSeconds?: number;
}

/** An upload by one PUT. */
export class IssuedPutUpload extends Issuance {
  /** Names the upload, from this URL to its completion. */
  @Uuid() uploadId!: string;

  mode!: 'put';

  method!: 'PUT';

  /** The presigned URL: whoever holds it can use it until it expires. */
  @Uri() url!: string;

  /** The exact number of bytes that the URL takes. */
  @ByteCount() contentLength!: number;

  /** Whether the store refuses to replace an object that is there already. */
  overwriteProtected!: boolean;
}

/** An upload by one form: `multipart/form-data`, with all `fields` before `file`. */
export class IssuedPostUpload extends Issuance {
  /** Names the upload, from this form to its completion. */
  @Uuid() uploadId!: string;

  mode!: 'post';

  method!: 'POST';

  /** Where the form is sent: the bucket's address. */
  @Uri() url!: string;

  /** All that the form sends before `file`, as it is: whoever holds them can use them until they expire. */
  fields!: Record<string, string>;

  /** The sizes that the store takes. */
  contentLengthRange!: ContentLengthRange;

  /** Always false: a POST policy cannot say that nothing is to be replaced. */
  overwriteProtected!: boolean;
}

/** An upload in parts: `POST /uploads/{id}/parts` gives their URLs. */
export class IssuedMultipartUpload extends Issuance {
  /** Names the upload, from its parts to its completion. */
  @Uuid() uploadId!: string;

  mode!: 'multipart';

  /** Of each part. */
  method!: 'PUT';

  /** The exact number of bytes of the whole. */
  @ByteCount() contentLength!: number;

  /** The exact number of bytes of each part but the last, which has what is left. */
  @ByteCount() partSize!: number;

  /** Parts are numbered from 1 to this. */
  @Integer() partCount!: number;

  /** Whether an object that is there already is looked for, just before the completion, and then left alone. */
  overwriteProtected!: boolean;
}

/** An example: its signature is none. */
export const ISSUED_UPLOAD: IssuedPutUpload = {
  ...ISSUED_URL,
  uploadId: ISSUED_URL.issuanceId,
  mode: 'put',
  method: 'PUT',
  headers: {
    'content-type': 'image/png',
    'if-none-match': '*',
    'x-amz-acl': 'private',
    'x-amz-meta-countersign-upload': ISSUED_URL.issuanceId,
  },
  useCase: 'upload',
  contentLength: 48_213,
  overwriteProtected: true,
};

export type IssuedUploadUrl = IssuedPutUpload | IssuedPostUpload | IssuedMultipartUpload;

const CLASSES = { put: IssuedPutUpload, post: IssuedPostUpload, multipart: IssuedMultipartUpload };

/** What `IssuedUploadUrl` is in the document. */
@ApiExtraModels(...Object.values(CLASSES))
@ApiSchema({
  name: 'IssuedUploadUrl',
  description: 'What uploads one object, and what it can do: by `mode`.',
  examples: [ISSUED_UPLOAD],
  oneOf: Object.values(CLASSES).map((model) => ({ $ref: getSchemaPath(model) })),
  discriminator: {
    propertyName: 'mode',
    mapping: Object.fromEntries(Object.entries(CLASSES).map(([mode, model]) => [mode, getSchemaPath(model)])),
  },
} as ApiSchemaOptions)
export class AnyIssuedUpload {}
