import { MAX_EXPIRY_SECONDS } from '@countersign/policy';
import { ArrayMaxSize, ArrayUnique, IsArray, IsBoolean, IsIn, Matches, Max, Min } from 'class-validator';
import { ByteCount, Example, Integer, Timestamp } from '../http/fields.js';
import { IsInteger, Nullable, Optional } from '../http/validators.js';

const MEDIA_RANGE = /^[a-z0-9!#$&^_.+-]+\/(?:\*|[a-z0-9!#$&^_.+-]+)$/;

@Example<UseCaseRequest>({
  action: 'write',
  minExpirySeconds: 60,
  defaultExpirySeconds: 300,
  maxExpirySeconds: 900,
  contentTypes: ['image/*'],
  maxContentLength: 5_242_880,
})
export class UseCaseRequest {
  /** What it is for. */
  @IsIn(['read', 'write', 'any']) action!: 'read' | 'write' | 'any';

  /** The shortest life that a URL may be asked for. */
  @Max(MAX_EXPIRY_SECONDS) @Min(1) @IsInteger() minExpirySeconds!: number;

  /** What a request gets that does not say; null where each must say. */
  @Nullable() @Max(MAX_EXPIRY_SECONDS) @Min(1) @IsInteger() defaultExpirySeconds!: number | null;

  /** At most 604,800: SigV4's own limit. */
  @Max(MAX_EXPIRY_SECONDS) @Min(1) @IsInteger() maxExpirySeconds!: number;

  /** `image/png` or `image/*`, lower case, without parameters; empty or left out allows any. */
  @Optional()
  @IsArray()
  @ArrayMaxSize(100)
  @ArrayUnique()
  @Matches(MEDIA_RANGE, {
    each: true,
    message: 'contentTypes must be media types such as "image/png" or "image/*", in lower case',
  })
  contentTypes?: string[] = [];

  /** Of an upload, in bytes. */
  @ByteCount() @Optional() @Nullable() @Max(Number.MAX_SAFE_INTEGER) @Min(0) @IsInteger() minContentLength?:
    number | null;

  /** Of an upload, in bytes. */
  @ByteCount() @Optional() @Nullable() @Max(Number.MAX_SAFE_INTEGER) @Min(0) @IsInteger() maxContentLength?:
    number | null;

  /** Whether an upload may ask to replace what is there. */
  @Optional() @IsBoolean() overwrite?: boolean = false;

  /** Of a download: `attachment` binds, `inline` is what a request gets that does not say. */
  @Optional() @Nullable() @IsIn(['attachment', 'inline']) disposition?: 'attachment' | 'inline' | null;

  /** Of an upload: whether nobody may download it before its completion has verified it. */
  @Optional() @IsBoolean() requireVerified?: boolean = false;
}

@Example<UseCaseResponse>({
  name: 'avatar',
  action: 'write',
  minExpirySeconds: 60,
  defaultExpirySeconds: 300,
  maxExpirySeconds: 900,
  contentTypes: ['image/*'],
  minContentLength: null,
  maxContentLength: 5_242_880,
  overwrite: false,
  disposition: null,
  requireVerified: false,
  createdAt: '2027-01-31T12:00:00.000Z',
  updatedAt: '2027-01-31T12:00:00.000Z',
})
export class UseCaseResponse {
  name!: string;
  action!: 'read' | 'write' | 'any';
  @Integer() minExpirySeconds!: number;
  @Integer() defaultExpirySeconds!: number | null;
  @Integer() maxExpirySeconds!: number;
  contentTypes!: string[];
  @ByteCount() minContentLength!: number | null;
  @ByteCount() maxContentLength!: number | null;
  overwrite!: boolean;
  disposition!: 'attachment' | 'inline' | null;

  /** Of an upload: whether nobody may download it before its completion has verified it. */
  requireVerified!: boolean;
  @Timestamp() createdAt!: string;
  @Timestamp() updatedAt!: string;
}

export class UseCasePage {
  items!: UseCaseResponse[];

  /** Null on the last page. */
  nextCursor!: string | null;
}
