import { Type } from 'class-transformer';
import { IsBoolean, IsIn, IsObject, ValidateNested } from 'class-validator';
import { Example, Timestamp, Uri, Uuid } from '../http/fields.js';
import { IsName, IsPrefix, IsTimestamp, Nullable, Optional, validText } from '../http/validators.js';
import { endpointFault } from '../http/endpoint.js';
import { bucketNameFault } from './bucket-name.js';
import { IsAccessKeyId, IsRegion, IsSecretAccessKey, IsSessionToken } from './credential-fields.js';
import { IsKeyIssuer, KeyIssuerResponse, type KeyIssuerRequest, NamesKeyIssuers } from './key-issuer.dto.js';

export class BucketCredentials {
  /** Shown in URLs: no secret. */
  @IsAccessKeyId() accessKeyId!: string;

  @IsSecretAccessKey() secretAccessKey!: string;

  /** Of a temporary credential. */
  @Optional() @IsSessionToken() sessionToken?: string;

  /** When the store stops believing the credential; no URL is said to live longer. */
  @Optional() @IsTimestamp() expiresAt?: string;
}

@Example<BucketRequest>({
  name: 'files',
  provider: 's3',
  endpoint: 'https://s3.eu-central-1.example.com',
  region: 'eu-central-1',
  bucket: 'acme',
  credentials: { accessKeyId: 'ACCESSKEYID', secretAccessKey: 'its-secret' },
})
@NamesKeyIssuers()
export class BucketRequest {
  /** The name it is registered and asked for by. */
  @IsName() name!: string;

  @IsIn(['s3']) provider!: 's3';

  /** Left out for AWS itself. */
  @Uri() @Optional() @validText('isEndpoint', endpointFault) endpoint?: string;

  /** What clients reach the store by, where it differs from `endpoint`; URLs are signed for it. */
  @Uri() @Optional() @validText('isEndpoint', endpointFault) publicEndpoint?: string;

  @IsRegion() region!: string;

  /** The bucket's name at the store. */
  @validText('isBucketName', bucketNameFault) bucket!: string;

  /** What every key in the store begins with; empty, or ending in `/`. */
  @Optional() @IsPrefix() keyPrefix?: string = '';

  /** `https://endpoint/bucket/key` in place of `https://bucket.endpoint/key`; by default for every endpoint but AWS. */
  @Optional() @IsBoolean() forcePathStyle?: boolean;

  /** `private` pins `x-amz-acl: private` into uploads: the default for every endpoint but AWS, which refuses unsigned ACL headers by itself. */
  @Optional() @IsIn(['private', 'none']) acl?: 'private' | 'none';

  /** They become the first active signing key, and never come out again. */
  @IsObject() @ValidateNested() @Type(() => BucketCredentials) credentials!: BucketCredentials;

  /** Who changes its signing keys at the store; left out for `manual`. */
  @Optional() @IsKeyIssuer() keyIssuer?: KeyIssuerRequest;
}

/** What can be changed of a bucket. Its names and prefix cannot: that would be another bucket. Its credentials are rotated instead. */
@Example<BucketChanges>({ publicEndpoint: 'https://files.example.com' })
@NamesKeyIssuers()
export class BucketChanges {
  /** Null for AWS itself. */
  @Uri() @Optional() @Nullable() @validText('isEndpoint', endpointFault) endpoint?: string | null;

  /** Null where clients reach the store by `endpoint`. */
  @Uri() @Optional() @Nullable() @validText('isEndpoint', endpointFault) publicEndpoint?: string | null;

  @Optional() @IsRegion() region?: string;

  @Optional() @IsBoolean() forcePathStyle?: boolean;

  @Optional() @IsIn(['private', 'none']) acl?: 'private' | 'none';

  /** Replaced as a whole. Not while a rotation is under way. */
  @Optional() @IsKeyIssuer() keyIssuer?: KeyIssuerRequest;
}

@Example<BucketResponse>({
  id: 'e02d7f9b-8f57-4f0c-8d6e-0b2b1f0b5a10',
  name: 'files',
  provider: 's3',
  endpoint: 'https://s3.eu-central-1.example.com',
  publicEndpoint: null,
  region: 'eu-central-1',
  bucket: 'acme',
  keyPrefix: '',
  forcePathStyle: true,
  acl: 'private',
  keyIssuer: { type: 'manual' },
  createdAt: '2027-01-31T12:00:00.000Z',
})
export class BucketResponse {
  @Uuid() id!: string;
  name!: string;
  provider!: 's3';

  /** Null for AWS itself. */
  @Uri() endpoint!: string | null;

  /** Null where clients reach the store by `endpoint`. */
  @Uri() publicEndpoint!: string | null;

  region!: string;

  /** The bucket's name at the store. */
  bucket!: string;

  keyPrefix!: string;
  forcePathStyle!: boolean;
  acl!: 'private' | 'none';

  /** Who changes its signing keys at the store; no secret is among it. */
  keyIssuer!: KeyIssuerResponse;

  @Timestamp() createdAt!: string;
}

export class BucketPage {
  items!: BucketResponse[];

  /** Null on the last page. */
  nextCursor!: string | null;
}
