import { Type } from 'class-transformer';
import { ArrayMinSize, ArrayUnique, IsArray, IsIn, IsObject, ValidateNested } from 'class-validator';
import { Example, Timestamp, Uuid } from '../http/fields.js';
import { PageQuery } from '../http/page-query.dto.js';
import { IsLookedUpName, IsObjectKey, IsPlainText, IsPrefix, IsTimestamp, Optional } from '../http/validators.js';

export class GrantSubject {
  @IsIn(['user', 'group', 'everyone']) type!: 'user' | 'group' | 'everyone';

  /** The user's `sub` or the group's name; left out for everyone in the tenant. */
  @Optional() @IsPlainText() id?: string;
}

@Example<GrantRequest>({
  subject: { type: 'everyone' },
  bucket: 'files',
  prefix: 'users/{sub}/',
  actions: ['read', 'write'],
})
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

@Example<GrantResponse>({
  id: '0f8e2c1a-6f0b-4b58-9a43-2d1c7be5f001',
  subject: { type: 'everyone' },
  bucket: 'files',
  key: null,
  prefix: 'users/{sub}/',
  actions: ['read', 'write'],
  effect: 'allow',
  expiresAt: null,
  createdAt: '2027-01-31T12:00:00.000Z',
})
export class GrantResponse {
  @Uuid() id!: string;
  subject!: GrantSubject;

  /** The bucket's registered name. */
  bucket!: string;

  /** Null where the grant has a prefix. */
  key!: string | null;

  /** Null where the grant has a key. */
  prefix!: string | null;

  actions!: ('read' | 'write')[];
  effect!: 'allow' | 'deny';

  /** From when on the grant no longer counts; null: it counts until it is deleted. */
  @Timestamp() expiresAt!: string | null;

  @Timestamp() createdAt!: string;
}

export class GrantPage {
  items!: GrantResponse[];

  /** Null on the last page. */
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
