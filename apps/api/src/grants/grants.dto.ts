import { Type } from 'class-transformer';
import { ArrayMinSize, ArrayUnique, IsArray, IsIn, IsObject, ValidateNested } from 'class-validator';
import { PageQuery } from '../http/paging.js';
import { IsLookedUpName, IsObjectKey, IsPlainText, IsPrefix, IsTimestamp, Optional } from '../http/validators.js';

export class GrantSubject {
  @IsIn(['user', 'group', 'everyone']) type!: 'user' | 'group' | 'everyone';

  /** The user's `sub` or the group's name; left out for everyone in the tenant. */
  @Optional() @IsPlainText() id?: string;
}

export class GrantRequest {
  @IsObject() @ValidateNested() @Type(() => GrantSubject) subject!: GrantSubject;

  /** The bucket's registered name. */
  @IsLookedUpName() bucket!: string;

  /** One object. Either this or `prefix`. */
  @Optional() @IsObjectKey() key?: string;

  /** All objects below: empty for the whole bucket, else ending in `/`. `{sub}` stands for the caller's subject. */
  @Optional() @IsPrefix() prefix?: string;

  @IsArray() @ArrayMinSize(1) @ArrayUnique() @IsIn(['read', 'write'], { each: true }) actions!: ('read' | 'write')[];

  /** Deny wins over every allow. */
  @Optional() @IsIn(['allow', 'deny']) effect?: 'allow' | 'deny' = 'allow';

  /** From when on the grant no longer counts. */
  @Optional() @IsTimestamp() expiresAt?: string;
}

export class GrantResponse {
  id!: string;
  subject!: GrantSubject;
  bucket!: string;

  /** Null where the grant has a prefix. */
  key!: string | null;

  /** Null where the grant has a key. */
  prefix!: string | null;

  actions!: ('read' | 'write')[];
  effect!: 'allow' | 'deny';
  expiresAt!: string | null;
  createdAt!: string;
}

export class GrantPage {
  items!: GrantResponse[];
  nextCursor!: string | null;
}

export class GrantsQuery extends PageQuery {
  /** Only the grants of this user or group, by its id. */
  @Optional() @IsPlainText() subject?: string;

  /** Only the grants in this bucket. */
  @Optional() @IsLookedUpName() bucket?: string;

  /** Only the grants that cover this key: who can reach it? A page may then hold fewer than `limit`, and there be a next one. */
  @Optional() @IsObjectKey() key?: string;
}
