import { MAX_EXPIRY_SECONDS } from '@countersign/policy';
import { ArrayMaxSize, ArrayUnique, IsArray, IsBoolean, IsIn, IsInt, Matches, Max, Min } from 'class-validator';
import { Nullable, Optional } from '../http/validators.js';

const MEDIA_RANGE = /^[a-z0-9!#$&^_.+-]+\/(?:\*|[a-z0-9!#$&^_.+-]+)$/;

export class UseCaseRequest {
  /** What it is for. */
  @IsIn(['read', 'write', 'any']) action!: 'read' | 'write' | 'any';

  @Max(MAX_EXPIRY_SECONDS) @Min(1) @IsInt() minExpirySeconds!: number;

  /** What a request gets that does not say; null where each must say. */
  @Nullable() @Max(MAX_EXPIRY_SECONDS) @Min(1) @IsInt() defaultExpirySeconds!: number | null;

  /** At most 604,800: SigV4's own limit. */
  @Max(MAX_EXPIRY_SECONDS) @Min(1) @IsInt() maxExpirySeconds!: number;

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
  @Optional() @Max(Number.MAX_SAFE_INTEGER) @Min(0) @IsInt() minContentLength?: number;

  /** Of an upload, in bytes. */
  @Optional() @Max(Number.MAX_SAFE_INTEGER) @Min(0) @IsInt() maxContentLength?: number;

  /** Whether an upload may ask to replace what is there. */
  @Optional() @IsBoolean() overwrite?: boolean = false;

  /** Of a download: `attachment` binds, `inline` is what a request gets that does not say. */
  @Optional() @IsIn(['attachment', 'inline']) disposition?: 'attachment' | 'inline';
}

export class UseCaseResponse {
  name!: string;
  action!: 'read' | 'write' | 'any';
  minExpirySeconds!: number;
  defaultExpirySeconds!: number | null;
  maxExpirySeconds!: number;
  contentTypes!: string[];
  minContentLength!: number | null;
  maxContentLength!: number | null;
  overwrite!: boolean;
  disposition!: 'attachment' | 'inline' | null;
  createdAt!: string;
  updatedAt!: string;
}

export class UseCasePage {
  items!: UseCaseResponse[];
  nextCursor!: string | null;
}
