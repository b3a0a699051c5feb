import { Type } from 'class-transformer';
import { ArrayMaxSize, ArrayMinSize, IsArray, IsIn, ValidateNested } from 'class-validator';
import { IsLookedUpName, IsObjectKey, Optional } from '../http/validators.js';

export class PermissionCheckItem {
  /** The bucket's registered name. */
  @IsLookedUpName() bucket!: string;

  @IsObjectKey() key!: string;

  @IsIn(['read', 'write']) action!: 'read' | 'write';

  /** The policy to ask about; left out, the default one of the action. */
  @Optional() @IsLookedUpName() useCase?: string;
}

export class PermissionChecksRequest {
  /** Up to 100. */
  @ValidateNested({ each: true })
  @Type(() => PermissionCheckItem)
  @ArrayMaxSize(100)
  @ArrayMinSize(1)
  @IsArray()
  items!: PermissionCheckItem[];
}

/** The limits that a URL would have. */
export class ApplicablePolicy {
  minExpirySeconds!: number;
  defaultExpirySeconds!: number | null;
  maxExpirySeconds!: number;

  /** Empty: any. */
  contentTypes!: string[];

  minContentLength!: number | null;
  maxContentLength!: number | null;
  overwrite!: boolean;
  disposition!: 'attachment' | 'inline' | null;
}

export class PermissionCheck {
  bucket!: string;
  key!: string;
  action!: 'read' | 'write';
  useCase!: string;

  /** Whether a URL would be issued, within the policy. */
  allowed!: boolean;

  /** The code that the issuing call would refuse with, or null. */
  reason!: 'bucket-not-found' | 'not-granted' | 'use-case-not-found' | null;

  /** Null where the use case is none for this action, and where nothing is allowed. */
  policy!: ApplicablePolicy | null;
}

export class PermissionChecks {
  /** In the order of the request. */
  items!: PermissionCheck[];
}
