import { applyDecorators } from '@nestjs/common';
import { ApiExtraModels, ApiProperty, getSchemaPath } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { Allow, Equals, IsIn, IsObject, Matches, ValidateNested } from 'class-validator';
import { endpointFault } from '../http/endpoint.js';
import { Uri } from '../http/fields.js';
import { Optional, validText } from '../http/validators.js';
import { IsAccessKeyId, IsRegion, IsSecretAccessKey, IsSessionToken } from './credential-fields.js';

/** Signing keys are changed by hand at the store; each rotation is given the new one. */
export class ManualKeyIssuer {
  @Equals('manual') type!: 'manual';
}

/** AWS's IAM: CreateAccessKey, UpdateAccessKey, DeleteAccessKey for one user. */
export class AwsIamKeyIssuer {
  @Equals('aws-iam') type!: 'aws-iam';

  /** The IAM user whose access keys sign. */
  @Matches(/^[\w+=,.@-]{1,64}$/, { message: 'userName must be the name of an IAM user' })
  userName!: string;

  /** Of the administrative credential: shown again. */
  @IsAccessKeyId() accessKeyId!: string;

  /** Of the administrative credential: never comes out again. */
  @IsSecretAccessKey() secretAccessKey!: string;

  /** Of a temporary administrative credential. */
  @Optional() @IsSessionToken() sessionToken?: string;

  /** Left out for IAM's own. */
  @Optional() @IsRegion() region?: string;

  /** Left out for AWS itself. */
  @Uri() @Optional() @validText('isEndpoint', endpointFault) endpoint?: string;
}

/** A Ceph gateway, by its Admin Ops API. The administrative user needs the capability `users=*`. */
export class CephRgwKeyIssuer {
  @Equals('ceph-rgw') type!: 'ceph-rgw';

  /** Where the gateway's Admin Ops API is reached, without its `/admin`. */
  @Uri() @validText('isEndpoint', endpointFault) endpoint!: string;

  /** The user whose access keys sign; `tenant$uid` where it belongs to a tenant of Ceph's. */
  @Matches(/^[\x21-\x7e]{1,128}$/, { message: 'uid must be 1 to 128 printable ASCII characters' })
  uid!: string;

  /** Of the administrative credential: shown again. */
  @IsAccessKeyId() accessKeyId!: string;

  /** Of the administrative credential: never comes out again. */
  @IsSecretAccessKey() secretAccessKey!: string;
}

/** The development store of `npm start`. */
export class EmbeddedKeyIssuer {
  @Equals('embedded') type!: 'embedded';
}

/** Without a type, the other fields mean nothing: only the type is told to be wrong. */
class UntypedKeyIssuer {
  @IsIn(['manual', 'aws-iam', 'ceph-rgw', 'embedded']) type!: never;
  @Allow() endpoint: unknown;
  @Allow() uid: unknown;
  @Allow() userName: unknown;
  @Allow() region: unknown;
  @Allow() accessKeyId: unknown;
  @Allow() secretAccessKey: unknown;
  @Allow() sessionToken: unknown;
}

export type KeyIssuerRequest = ManualKeyIssuer | AwsIamKeyIssuer | CephRgwKeyIssuer | EmbeddedKeyIssuer;

const CLASSES = new Map<unknown, new () => KeyIssuerRequest>([
  ['manual', ManualKeyIssuer],
  ['aws-iam', AwsIamKeyIssuer],
  ['ceph-rgw', CephRgwKeyIssuer],
  ['embedded', EmbeddedKeyIssuer],
]);

/** Of a class that has a key issuer among its fields. */
export const NamesKeyIssuers = () => ApiExtraModels(...CLASSES.values());

/** Fields are those of the type, and no others. */
export const IsKeyIssuer = () =>
  applyDecorators(
    (target: object) => ApiExtraModels(...CLASSES.values())(target.constructor),
    ApiProperty({
      oneOf: [...CLASSES.values()].map((model) => ({ $ref: getSchemaPath(model) })),
      discriminator: {
        propertyName: 'type',
        mapping: Object.fromEntries([...CLASSES].map(([type, model]) => [String(type), getSchemaPath(model)])),
      },
    }),
    IsObject(),
    ValidateNested(),
    Type((options) => CLASSES.get((options?.object as Sent | undefined)?.keyIssuer?.type) ?? UntypedKeyIssuer),
  );

interface Sent {
  keyIssuer?: { type?: unknown } | null;
}

/** Who changes the bucket's signing keys at the store. Of its credential only the access key's name is shown. */
export class KeyIssuerResponse {
  type!: 'manual' | 'aws-iam' | 'ceph-rgw' | 'embedded';
  @Uri() endpoint?: string;
  uid?: string;
  userName?: string;
  region?: string;
  accessKeyId?: string;
}
