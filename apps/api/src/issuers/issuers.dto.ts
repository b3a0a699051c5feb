import { jwksFault, SUPPORTED_ALGORITHMS, type JsonWebKeySet } from '@countersign/identity';
import { ArrayMinSize, ArrayUnique, IsArray, IsBoolean, IsIn, IsObject, ValidateBy } from 'class-validator';
import { IsName, IsPlainText, Optional } from '../http/validators.js';

const IsJwks = () =>
  ValidateBy({
    name: 'isJwks',
    validator: {
      validate: (value) => jwksFault(value) === null,
      defaultMessage: (args) => jwksFault(args?.value) ?? 'is not valid',
    },
  });

export class IssuerRequest {
  /** The tenant's slug. */
  @IsName() tenant!: string;

  /** The tokens' `iss`, byte for byte. */
  @IsPlainText() issuer!: string;

  /** What the tokens' `aud` is, or holds. */
  @IsPlainText() audience!: string;

  /** The public keys (RFC 7517): RSA from 2,048 bits, or EC. */
  @IsObject() @IsJwks() jwks!: JsonWebKeySet;

  /** The signature algorithms that are believed; by default those that the keys are for. */
  @Optional()
  @IsArray()
  @ArrayMinSize(1)
  @ArrayUnique()
  @IsIn(SUPPORTED_ALGORITHMS, { each: true })
  algorithms?: string[];

  /** Whether `admin:platform` is believed from it. */
  @Optional() @IsBoolean() platform?: boolean = false;
}

export class IssuerResponse {
  id!: string;

  /** The tenant's slug. */
  tenant!: string;

  issuer!: string;
  audience!: string;
  jwks!: Record<string, unknown>;
  algorithms!: string[];
  platform!: boolean;
  createdAt!: string;
}

export class IssuerPage {
  items!: IssuerResponse[];
  nextCursor!: string | null;
}
