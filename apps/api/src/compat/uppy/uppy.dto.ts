import { ApiExtraModels, ApiSchema, type ApiSchemaOptions } from '@nestjs/swagger';
import { ArrayMaxSize, IsArray, IsObject, Max, Min } from 'class-validator';
import { filenameFault } from '@countersign/permissions';
import { ByteCount, Example, Integer, Timestamp, Uri, Uuid } from '../../http/fields.js';
import {
  IsContentType,
  IsInteger,
  IsLookedUpName,
  IsObjectKey,
  IsPrefix,
  Optional,
  validText,
} from '../../http/validators.js';
import { IsEtag, MAX_PARTS } from '../../uploads/uploads.dto.js';

const ID = '5b0f0a52-6c1e-4f5e-9a55-0d6c0f1f3c11';
const BUCKET_ADDRESS = 'https://s3.eu-central-1.example.com/acme';
const KEY = `users/alice/${ID}-film.mp4`;

/** What is taken from a file's `meta`. Numbers may be text, as Uppy sends them. All other fields are the page's own: they are not looked at. */
@ApiSchema({ additionalProperties: true } as ApiSchemaOptions)
export class UppyMetadata {
  /** The bucket's registered name. Left out, it is the only one that the caller may write the file to. */
  @Optional() @IsLookedUpName() bucket?: string;

  /** The object's key. Without it and `prefix` it is `users/{sub}/<a UUID>-<filename>`. */
  @Optional() @IsObjectKey() key?: string;

  /** Instead of `key`: the key is this, empty or ending in `/`, and the file's name. */
  @Optional() @IsPrefix() prefix?: string;

  /** The tenant's policy for this purpose; left out, `upload`. */
  @Optional() @IsLookedUpName() useCase?: string;

  /** The file's exact size in bytes. An upload in parts must say it, and one by PUT. */
  @ByteCount() @Optional() @Max(Number.MAX_SAFE_INTEGER) @Min(0) @IsInteger() size?: number;

  /** What the page's `getChunkSize` says, if it has one. */
  @ByteCount() @Optional() @Max(5 * 1024 ** 3) @Min(1) @IsInteger() partSize?: number;

  /** How long the upload may take; left out, the use case's default. */
  @Optional() @Min(1) @IsInteger() expiresInSeconds?: number;
}

/** An operating system may give a name in another normalisation form than NFC: it is put right, for whoever uploads did not choose it. */
const nameFault = (name: string): string | null => filenameFault(name.normalize('NFC'));

@ApiExtraModels(UppyMetadata)
@Example<UppyUploadRequest>({
  filename: 'film.mp4',
  type: 'video/mp4',
  metadata: { bucket: 'files', size: 209_715_200 },
})
export class UppyUploadRequest {
  /** What the file is called. */
  @validText('isName', nameFault) filename!: string;

  /** Its Content-Type. */
  @Optional() @IsContentType() type?: string = 'application/octet-stream';

  @Optional() @IsObject() metadata?: UppyMetadata;
}

/** What uploads a file at once. */
@Example<UppyParameters>({
  method: 'POST',
  url: BUCKET_ADDRESS,
  headers: {},
  fields: { bucket: 'acme', key: KEY, policy: 'eyJleHBpcmF0aW9uIjoi…', 'x-amz-signature': '0123456789abcdef' },
  uploadId: ID,
  bucket: 'files',
  key: KEY,
  expiresAt: '2027-01-31T12:15:00.000Z',
})
export class UppyParameters {
  /** By a form, or by one PUT: which Uppy 5 takes, and Uppy 6 does not. */
  method!: 'POST' | 'PUT';

  @Uri() url!: string;

  /** Of a PUT: what must be set, byte for byte. */
  headers!: Record<string, string>;

  /** Of a form: all that comes before `file`. Of a PUT: the key alone, for Uppy to remember. */
  fields!: Record<string, string>;

  /** Names the upload: see `/uploads/{id}`. */
  @Uuid() uploadId!: string;

  /** The bucket's registered name. */
  bucket!: string;

  /** The object's key in it. */
  key!: string;

  /** When the store will begin to refuse it. */
  @Timestamp() expiresAt!: string;
}

/** An upload in parts that has begun. */
@Example<UppyUpload>({ uploadId: ID, key: KEY, bucket: 'files' })
export class UppyUpload {
  @Uuid() uploadId!: string;
  key!: string;

  /** The bucket's registered name. */
  bucket!: string;
}

/** What uploads one part. */
@Example<UppyPartUrl>({
  method: 'PUT',
  url: `${BUCKET_ADDRESS}/${KEY}?partNumber=1&uploadId=2~x&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=0123456789abcdef`,
  headers: {},
})
export class UppyPartUrl {
  method!: 'PUT';
  @Uri() url!: string;
  headers!: Record<string, string>;
}

/** What uploads some parts. */
@Example<UppyPartUrls>({
  presignedUrls: {
    1: `${BUCKET_ADDRESS}/${KEY}?partNumber=1&uploadId=2~x&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=0123456789abcdef`,
  },
})
export class UppyPartUrls {
  /** By the number of the part. */
  presignedUrls!: Record<string, string>;
}

/** A part that the store has. */
@Example<UppyStoredPart>({ PartNumber: 1, Size: 5_242_880, ETag: '"9b2cf535f27731c974343645a3985328"' })
export class UppyStoredPart {
  @Integer() PartNumber!: number;
  @ByteCount() Size!: number;
  ETag!: string;
}

export class UppyNamedPart {
  @Min(1) @IsInteger() PartNumber!: number;
  @IsEtag() ETag!: string;
}

@Example<UppyCompletionRequest>({
  parts: [{ PartNumber: 1, ETag: '"9b2cf535f27731c974343645a3985328"' }],
})
export class UppyCompletionRequest {
  /** All parts, to be held against what the store has. */
  @Optional() @ArrayMaxSize(MAX_PARTS) @IsArray() parts?: UppyNamedPart[];
}

/** An upload that is complete, and what was promised. */
@Example<UppyCompleted>({
  location: `${BUCKET_ADDRESS}/${KEY}`,
  bucket: 'files',
  key: KEY,
  uploadId: ID,
  state: 'verified',
  size: 209_715_200,
  contentType: 'video/mp4',
  etag: '"9b2cf535f27731c974343645a3985328-40"',
})
export class UppyCompleted {
  /** Where the object is. It opens nothing: ask `/download-url`. */
  @Uri() location!: string;

  /** The bucket's registered name. */
  bucket!: string;
  key!: string;
  @Uuid() uploadId!: string;
  state!: 'verified';
  @ByteCount() size!: number;
  contentType!: string;
  etag!: string;
}

/** An upload that was aborted: an object without members, since Uppy reads one. */
export class UppyAborted {}
