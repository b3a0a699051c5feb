import { ApiProperty } from '@nestjs/swagger';
import { ArrayMaxSize, ArrayMinSize, ArrayUnique, IsArray, IsInt, IsString, Min } from 'class-validator';
import { ByteCount, Example, Integer, Timestamp, Uri, Uuid } from '../http/fields.js';
import { IsInteger, Optional, validText } from '../http/validators.js';

const ID = '5b0f0a52-6c1e-4f5e-9a55-0d6c0f1f3c11';

/** Of S3. */
export const MAX_PARTS = 10_000;

/** 10,000 parts, each with an ETag of 128 characters, written in the longest way that anybody does. */
export const COMPLETION_LIMIT_BYTES = MAX_PARTS * 256;

@Example<PartUrlsRequest>({ partNumbers: [1, 2] })
export class PartUrlsRequest {
  /** Which parts, counted from 1; up to 1,000. */
  @ArrayMaxSize(1_000)
  @ArrayMinSize(1)
  @ArrayUnique()
  @Min(1, { each: true })
  @IsInt({ each: true })
  @IsArray()
  @ApiProperty({
    type: 'array',
    items: { type: 'integer', minimum: 1 },
    minItems: 1,
    maxItems: 1_000,
    uniqueItems: true,
  })
  partNumbers!: number[];

  /** The Base64 of each part's SHA-256, in the order of `partNumbers`, for stores that check it. */
  @Optional() @IsString({ each: true }) @IsArray() checksums?: string[];
}

export class IssuedPart {
  @Integer() partNumber!: number;

  /** Takes exactly this part: every part has `partSize` bytes, and the last one the rest. */
  @Uri() url!: string;

  /** What the client must set, byte for byte: all signed headers but `host` and `content-length`. */
  headers!: Record<string, string>;

  /** When the store will begin to refuse the URL; a new one can be had while the upload lives. */
  @Timestamp() expiresAt!: string;
}

@Example<IssuedParts>({
  parts: [
    {
      partNumber: 1,
      url: 'https://s3.eu-central-1.example.com/acme/users/alice/film.mp4?partNumber=1&uploadId=2~x&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=0123456789abcdef',
      headers: {},
      expiresAt: '2027-01-31T13:00:00.000Z',
    },
  ],
})
export class IssuedParts {
  /** In the order of the request. */
  parts!: IssuedPart[];
}

export class UploadPart {
  @Integer() partNumber!: number;
  @ByteCount() size!: number;

  /** In quotes, as HTTP has it. */
  etag!: string;
}

@Example<UploadParts>({
  parts: [{ partNumber: 1, size: 8_388_608, etag: '"9b2cf535f27731c974343645a3985328"' }],
})
export class UploadParts {
  /** What the store has now, in the order of their numbers. */
  parts!: UploadPart[];
}

export class NamedUploadPart {
  @Min(1) @IsInteger() partNumber!: number;

  /** As the store answered the upload of the part; with its quotes, or without. */
  @IsEtag() etag!: string;
}

@Example<CompletionRequest>({
  parts: [
    { partNumber: 1, etag: '"9b2cf535f27731c974343645a3985328"' },
    { partNumber: 2, etag: '"1a79a4d60de6718e8e5b326e338ae533"' },
  ],
})
export class CompletionRequest {
  /** Of a multipart upload: all its parts, to be held against what the store has. Left out, what the store has is taken. */
  @Optional() @ArrayMaxSize(MAX_PARTS) @IsArray() parts?: NamedUploadPart[];
}

/** Something that is not as it was promised. */
export class UploadMismatch {
  what!: 'size' | 'type' | 'checksum' | 'etag';

  /** What was promised. */
  expected!: string;

  /** What is there; null where the store has none. */
  found!: string | null;
}

/** The verdict on an upload. */
@Example<CompletedUpload>({
  id: ID,
  state: 'verified',
  size: 48_213,
  contentType: 'image/png',
  etag: '"9b2cf535f27731c974343645a3985328"',
  checksumSha256: 'n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg=',
  verified: ['size', 'type', 'checksum'],
})
export class CompletedUpload {
  @Uuid() id!: string;

  /** `verified`: it is what was promised. `rejected`: it is not, and was removed. */
  state!: 'verified' | 'rejected';

  /** What was found, in bytes. */
  @ByteCount() size!: number;

  /** What was found. */
  contentType!: string;

  /** What was found: in quotes, as HTTP has it. */
  etag!: string;

  /** The Base64 of the object's SHA-256, where one was promised and is right. */
  checksumSha256?: string;

  /** What was held against the promise, and is right. */
  verified!: ('size' | 'type' | 'checksum' | 'etag')[];

  /** What is not as it was promised; left out where nothing is. */
  mismatches?: UploadMismatch[];
}

export class UploadLengthRange {
  @ByteCount() min!: number;
  @ByteCount() max!: number;
}

@Example<UploadResponse>({
  id: ID,
  mode: 'multipart',
  state: 'pending',
  bucket: 'files',
  key: 'users/alice/film.mp4',
  contentType: 'video/mp4',
  contentLength: 209_715_200,
  expiresAt: '2027-01-31T13:00:00.000Z',
  partSize: 8_388_608,
  partCount: 25,
})
export class UploadResponse {
  @Uuid() id!: string;
  mode!: 'put' | 'post' | 'multipart';
  state!: 'pending' | 'uploaded' | 'verified' | 'rejected' | 'expired' | 'aborted';

  /** The bucket's registered name. */
  bucket!: string;
  key!: string;

  /** What was promised. */
  contentType!: string;

  /** What was promised; null of a form, which has a range. */
  @ByteCount() contentLength!: number | null;

  /** Of a form. */
  contentLengthRange?: UploadLengthRange;

  /** When the last URL of it ends; a multipart upload that was not completed by then is aborted. */
  @Timestamp() expiresAt!: string;

  /** Of a multipart upload: how many bytes every part has but the last, */
  @ByteCount() partSize?: number;

  /** and how many parts there are. */
  @Integer() partCount?: number;
}

export function IsEtag(): PropertyDecorator {
  return validText('isEtag', etagFault);
}

/** RFC 9110 §8.8.3, without weakness: S3 has none. */
function etagFault(text: string): string | null {
  return /^(?:"[!#-~]{1,128}"|[!#-~]{1,128})$/.test(text) ? null : 'must be an ETag, with its quotes or without';
}
