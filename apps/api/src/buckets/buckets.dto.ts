import { Type } from 'class-transformer';
import { IsBoolean, IsIn, IsObject, Matches, ValidateNested } from 'class-validator';
import { Example, Timestamp, Uri, Uuid } from '../http/fields.js';
import { IsName, IsPrefix, IsTimestamp, Nullable, Optional, validText } from '../http/validators.js';
import { endpointFault } from '../http/endpoint.js';
import { bucketNameFault } from './bucket-name.js';

const IsRegion = () =>
  Matches(/^[a-z0-9][a-z0-9-]{0,62}$/, { message: 'region must be a region such as "eu-central-1"' });

export class BucketCredentials {
  /** Shown in URLs: no secret. */
  @Matches(/^[\x21-\x7e]{3,128}$/, { message: 'accessKeyId must be 3 to 128 printable ASCII characters' })
  accessKeyId!: string;

  @Matches(/^[\x21-\x7e]{8,256}$/, { message: 'secretAccessKey must be 8 to 256 printable ASCII characters' })
  secretAccessKey!: string;

  /** Of a temporary credential. */
  @Optional()
  @Matches(/^[\x21-\x7e]{1,4096}$/, { message: 'sessionToken must be 1 to 4,096 printable ASCII characters' })
  sessionToken?: string;

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
}

/** What can be changed of a bucket. Its names and prefix cannot: that would be another bucket. Its credentials are rotated instead. */
@Example<BucketChanges>({ publicEndpoint: 'https://files.example.com' })
export class BucketChanges {
  /** Null for AWS itself. */
  @Uri() @Optional() @Nullable() @validText('isEndpoint', endpointFault) endpoint?: string | null;

  /** Null where clients reach the store by `endpoint`. */
  @Uri() @Optional() @Nullable() @validText('isEndpoint', endpointFault) publicEndpoint?: string | null;

  @Optional() @IsRegion() region?: string;

  @Optional() @IsBoolean() forcePathStyle?: boolean;

  @Optional() @IsIn(['private', 'none']) acl?: 'private' | 'none';
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
  @Timestamp() createdAt!: string;
}

export class BucketPage {
  items!: BucketResponse[];

  /** Null on the last page. */
  nextCursor!: string | null;
}
