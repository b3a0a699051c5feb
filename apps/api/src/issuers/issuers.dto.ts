import { jwksFault, SUPPORTED_ALGORITHMS, type JsonWebKeySet } from '@countersign/identity';
import {
  ArrayMaxSize,
  ArrayMinSize,
  ArrayUnique,
  IsArray,
  IsBoolean,
  IsIn,
  IsObject,
  Matches,
  MaxLength,
  ValidateBy,
} from 'class-validator';
import { Example, FreeForm, Timestamp, Uri, Uuid } from '../http/fields.js';
import { IsName, IsPlainText, Optional, validText } from '../http/validators.js';

const IsJwks = () =>
  ValidateBy({
    name: 'isJwks',
    validator: {
      validate: (value) => jwksFault(value) === null,
      defaultMessage: (args) => jwksFault(args?.value) ?? 'is not valid',
    },
  });

const IsJwksUri = () =>
  validText('isJwksUri', (text) => {
    if (text.length > 2_000 || !URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol))
      return 'must be the https: URL of a JWKS';
    const { username, password, hash } = new URL(text);
    return username === '' && password === '' && hash === '' ? null : 'must not hold a user name, password or fragment';
  });

const SLUGS = { each: true, message: 'tenants must be slugs of tenants' };

/** What can be changed of an issuer: all but whose tokens it is for. */
@Example<IssuerChanges>({ jwksUri: 'https://login.example.com/jwks.json' })
export class IssuerChanges {
  /** The public keys (RFC 7517): RSA from 2,048 bits, or EC. Either this or `jwksUri`. */
  @FreeForm() @Optional() @IsJwks() @IsObject() jwks?: JsonWebKeySet;

  /** Where the issuer publishes its keys; they are fetched and kept. Either this or `jwks`. */
  @Uri() @Optional() @IsJwksUri() jwksUri?: string;

  /** The signature algorithms that are believed; by default those that the keys are for, of a `jwksUri` RS256 and ES256. */
  @Optional()
  @IsIn(SUPPORTED_ALGORITHMS, { each: true })
  @ArrayUnique()
  @ArrayMinSize(1)
  @IsArray()
  algorithms?: string[];

  /** The slugs that a token may hold in `tenantClaim`. */
  @Optional()
  @Matches(/^[a-z0-9._-]{1,63}$/, SLUGS)
  @ArrayUnique()
  @ArrayMinSize(1)
  @ArrayMaxSize(10_000)
  @IsArray()
  tenants?: string[];

  /** The claim that is the subject: its name, or the JSON pointer of a nested one (`/app_metadata/id`). */
  @Optional() @IsPlainText() subjectClaim?: string;

  /** The claim that holds the groups, an array of strings. */
  @Optional() @IsPlainText() groupsClaim?: string;

  /** The claim that holds the scopes: a string with spaces between them, or an array. */
  @Optional() @IsPlainText() scopeClaim?: string;

  /** What the issuer puts before the names of our scopes, such as `countersign/`; others are passed over. */
  @Optional() @MaxLength(255) scopePrefix?: string;

  /** Whether `admin:platform` is believed from it. */
  @Optional() @IsBoolean() platform?: boolean;
}

@Example<IssuerRequest>({
  tenant: 'acme',
  issuer: 'https://login.example.com/',
  audience: 'countersign',
  jwksUri: 'https://login.example.com/jwks.json',
})
export class IssuerRequest extends IssuerChanges {
  /** The slug of the one tenant that its tokens are for. Either this, or `tenantClaim` and `tenants`. */
  @Optional() @IsName() tenant?: string;

  /** The claim that holds the tenant's slug, where one identity provider serves many tenants. */
  @Optional() @IsPlainText() tenantClaim?: string;

  /** The tokens' `iss`, byte for byte. */
  @IsPlainText() issuer!: string;

  /** What the tokens' `aud` is, or holds. */
  @IsPlainText() audience!: string;
}

@Example<IssuerResponse>({
  id: '2f1a4b5c-93f4-4c1e-8d21-6e0a9b7c5d33',
  tenant: 'acme',
  tenantClaim: null,
  tenants: [],
  issuer: 'https://login.example.com/',
  audience: 'countersign',
  jwks: null,
  jwksUri: 'https://login.example.com/jwks.json',
  algorithms: ['ES256', 'RS256'],
  subjectClaim: 'sub',
  groupsClaim: 'groups',
  scopeClaim: 'scope',
  scopePrefix: '',
  platform: false,
  createdAt: '2027-01-31T12:00:00.000Z',
})
export class IssuerResponse {
  @Uuid() id!: string;

  /** The tenant's slug, or null where a claim names it. */
  tenant!: string | null;

  tenantClaim!: string | null;
  tenants!: string[];
  issuer!: string;
  audience!: string;
  jwks!: Record<string, unknown> | null;
  @Uri() jwksUri!: string | null;
  algorithms!: string[];
  subjectClaim!: string;
  groupsClaim!: string;
  scopeClaim!: string;
  scopePrefix!: string;
  platform!: boolean;
  @Timestamp() createdAt!: string;
}

export class IssuerPage {
  items!: IssuerResponse[];

  /** Null on the last page. */
  nextCursor!: string | null;
}
