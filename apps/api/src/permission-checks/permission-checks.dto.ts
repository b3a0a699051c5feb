import { Type } from 'class-transformer';
import { ArrayMaxSize, ArrayMinSize, IsArray, IsIn, IsObject, ValidateNested } from 'class-validator';
import { ByteCount, Example, Integer } from '../http/fields.js';
import { IsLookedUpName, IsObjectKey, Optional } from '../http/validators.js';

export class PermissionCheckItem {
  /** The bucket's registered name. */
  @IsLookedUpName() bucket!: string;

  /** The object's key. */
  @IsObjectKey() key!: string;

  @IsIn(['read', 'write']) action!: 'read' | 'write';

  /** The policy to ask about; left out, the default one of the action. */
  @Optional() @IsLookedUpName() useCase?: string;
}

@Example<PermissionChecksRequest>({
  items: [
    { bucket: 'files', key: 'users/alice/photo.png', action: 'read' },
    { bucket: 'files', key: 'reports/2027.pdf', action: 'write' },
  ],
})
export class PermissionChecksRequest {
  /** Up to 100. */
  // A list is no item, though there is nothing in it that could be wrong.
  @IsObject({ each: true, message: 'items must be objects' })
  @ValidateNested({ each: true })
  @Type(() => PermissionCheckItem)
  @ArrayMaxSize(100)
  @ArrayMinSize(1)
  @IsArray()
  items!: PermissionCheckItem[];
}

/** The limits that a URL would have. */
export class ApplicablePolicy {
  @Integer() minExpirySeconds!: number;

  /** What a request gets that does not say; null where each must say. */
  @Integer() defaultExpirySeconds!: number | null;

  @Integer() maxExpirySeconds!: number;

  /** Empty: any. */
  contentTypes!: string[];

  /** Of an upload, in bytes. */
  @ByteCount() minContentLength!: number | null;

  /** Of an upload, in bytes. */
  @ByteCount() maxContentLength!: number | null;

  /** Whether an upload may ask to replace what is there. */
  overwrite!: boolean;
  disposition!: 'attachment' | 'inline' | null;

  /** Whether an upload may be downloaded only once it was verified. */
  requireVerified!: boolean;
}

export class PermissionCheck {
  bucket!: string;
  key!: string;
  action!: 'read' | 'write';
  useCase!: string;

  /** Whether a URL would be issued, within the policy. */
  allowed!: boolean;

  /** The code that the issuing call would refuse with, or null. */
  reason!: 'bucket-not-found' | 'not-granted' | 'use-case-not-found' | 'not-verified' | null;

  /** Null where the use case is none for this action, and where nothing is allowed. */
  policy!: ApplicablePolicy | null;
}

export class PermissionChecks {
  /** In the order of the request. */
  items!: PermissionCheck[];
}
