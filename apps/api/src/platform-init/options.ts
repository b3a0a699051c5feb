import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { Type } from '@nestjs/common';
import { ProblemError, type FieldError } from '@countersign/errors';
import { RequestValidationPipe } from '../http/request-validation.pipe.js';
import { IssuerRequest } from '../issuers/issuers.dto.js';
import { assertTrustable } from '../issuers/issuers.js';
import { TenantRequest } from '../tenants/tenants.dto.js';

export const HELP = `Makes the first tenant and the first platform issuer of an installation: whoever holds a token of
that issuer with the scope "admin:platform" makes all others by the API (POST /tenants, POST /issuers).
Run again with the same options, it changes nothing and says what is there.

  npm run platform:init -- --tenant <slug> --issuer <iss> --audience <aud> (--jwks <file> | --jwks-uri <url>)

  --tenant <slug>          the platform's own tenant; made where there is none
  --name <text>            what people call it; the slug by default
  --issuer <iss>           the tokens' "iss", byte for byte
  --audience <aud>         what the tokens' "aud" is, or holds
  --jwks <file>            the issuer's public keys, a JWKS (RFC 7517); "-" reads standard input
  --jwks-uri <url>         or where the issuer publishes them
  --algorithms <a,b>       the signature algorithms that are believed; by default those of the keys, of a URL RS256 and ES256
  --subject-claim <name>   the claim that is the subject; "sub" by default
  --scope-claim <name>     the claim that holds the scopes; "scope" by default
  --scope-prefix <text>    what the issuer puts before our scopes' names
  --force                  make it although there is another platform issuer: where that one's keys are lost
  --help                   this text

Environment:
  DATABASE_OPERATOR_URL        a login in countersign_operator, or
  DATABASE_URL                 the database's owner
  ALLOW_INSECURE_ENDPOINTS     true: a --jwks-uri may be http: or inside a private network

Exit code: 0 all is there, 1 it could not be done, 2 the options are wrong.
`;

/** What was asked for, valid by the rules of POST /tenants and POST /issuers. */
export interface Options {
  tenant: TenantRequest;
  issuer: IssuerRequest;
  isForced: boolean;
}

/** The options are wrong: one line for each fault, naming the option. */
export class UsageError extends Error {
  constructor(readonly faults: readonly string[]) {
    super(faults.join('\n'));
  }
}

/** @returns null where only help was asked for. @throws UsageError with all that is wrong at once. */
export async function readOptions(args: string[], env: NodeJS.ProcessEnv): Promise<Options | null> {
  const { force = false, help, ...given } = parse(args);
  if (help) return null;
  const { tenant: slug, name, jwks, algorithms, ...rest } = given;
  const tenant = { slug, name: name ?? slug ?? 'unnamed' };
  const issuer = {
    tenant: slug,
    issuer: rest.issuer,
    audience: rest.audience,
    jwks: jwks === undefined ? undefined : readJwks(jwks),
    jwksUri: rest['jwks-uri'],
    algorithms: algorithms?.split(','),
    subjectClaim: rest['subject-claim'],
    scopeClaim: rest['scope-claim'],
    scopePrefix: rest['scope-prefix'],
    platform: true,
  };
  const rules = { allowInsecureEndpoints: env['ALLOW_INSECURE_ENDPOINTS'] === 'true' };
  const isGiven = (field: string) => ({ ...tenant, ...issuer })[field as keyof typeof issuer] !== undefined;
  const checks = [
    () => validate(TenantRequest, tenant),
    async () => assertTrustable(await validate(IssuerRequest, issuer), rules),
  ];
  const faults = (await Promise.all(checks.map(faultsOf))).flat().map((fault) => toFault(fault, isGiven));
  if (faults.length > 0) throw new UsageError([...new Set(faults)]);
  return {
    tenant: await validate(TenantRequest, tenant),
    issuer: await validate(IssuerRequest, issuer),
    isForced: force,
  };
}

const TEXT = { type: 'string' } as const;
const FLAG = { type: 'boolean' } as const;

function parse(args: string[]) {
  const options = {
    tenant: TEXT,
    name: TEXT,
    issuer: TEXT,
    audience: TEXT,
    jwks: TEXT,
    'jwks-uri': TEXT,
    algorithms: TEXT,
    'subject-claim': TEXT,
    'scope-claim': TEXT,
    'scope-prefix': TEXT,
    force: FLAG,
    help: FLAG,
  };
  try {
    return parseArgs({ args, options, strict: true, allowPositionals: false }).values;
  } catch (error) {
    throw new UsageError([(error as Error).message]);
  }
}

function readJwks(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file === '-' ? 0 : file, 'utf8'));
  } catch (error) {
    const isText = error instanceof SyntaxError;
    throw new UsageError([`--jwks ${isText ? 'is not JSON' : `cannot be read: ${(error as Error).message}`}`]);
  }
}

/** The same pipe that every body of the API goes through. */
function validate<T>(metatype: Type<T>, body: object): Promise<T> {
  const given = Object.fromEntries(Object.entries(body).filter(([, value]) => value !== undefined));
  return new RequestValidationPipe().transform(given, { type: 'body', metatype }) as Promise<T>;
}

async function faultsOf(check: () => Promise<unknown>): Promise<readonly FieldError[]> {
  try {
    await check();
    return [];
  } catch (error) {
    if (error instanceof ProblemError) return error.errors;
    throw error;
  }
}

/** A field of the API, as the option that stands for it. */
function toFault({ pointer, message }: FieldError, isGiven: (field: string) => boolean): string {
  const field = pointer.split('/')[1] ?? '';
  const option = field === 'slug' ? 'tenant' : field.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  const isMissing = !isGiven(field) && message === 'must be a string';
  return `--${option} ${isMissing ? 'is missing' : message.replaceAll(/\bjwksUri\b/g, '--jwks-uri')}`;
}
