import { applyDecorators } from '@nestjs/common';
import { contentTypeFault } from '@countersign/policy';
import { filenameFault, keyFault, prefixFault } from '@countersign/permissions';
import { Transform } from 'class-transformer';
import { IsBoolean, IsInt, ValidateBy, ValidateIf } from 'class-validator';
import { Integer, Timestamp } from './fields.js';

/** The field may be left out. Null is not left out: a client that sends it means something, and would not get it. */
export const Optional = () => ValidateIf((_, value) => value !== undefined);

/** The field is there, but may be null. */
export const Nullable = () => ValidateIf((_, value) => value !== null);

export const IsObjectKey = () => validText('isObjectKey', keyFault);
export const IsPrefix = () => validText('isPrefix', prefixFault);
export const IsFilename = () => validText('isFilename', filenameFault);
export const IsContentType = () => validText('isContentType', contentTypeFault);

/** A tenant's slug, a bucket's registered name, a use case's name. */
export const IsName = () => validText('isName', nameFault);

/** A name that is only looked up: one that could not exist is simply not found. */
export const IsLookedUpName = () => validText('isLookedUpName', textFault);

/** A subject, a group, a display name: something that can be stored and shown. */
export const IsPlainText = () => validText('isPlainText', textFault);

/** RFC 3339 §5.6, with a zone. */
export const IsTimestamp = () =>
  applyDecorators(
    Timestamp(),
    validText('isTimestamp', (text) =>
      TIMESTAMP.test(text) && isRealDay(text.slice(0, 10)) && isStorableYear(new Date(text).getUTCFullYear())
        ? null
        : 'must be a time such as "2027-01-31T12:00:00Z" (RFC 3339)',
    ),
  );

/** `Date` takes 31 February for 3 March: a grant would end on another day than the one that was written. */
const isRealDay = (day: string): boolean => new Date(`${day}T00:00:00Z`).toISOString().startsWith(day);

/** In UTC, whatever the zone: PostgreSQL has no year 0, and RFC 3339 none beyond 9999. */
const isStorableYear = (year: number): boolean => year >= 1 && year <= 9999;

const TIMESTAMP =
  /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])[Tt](?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?(?:[Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/;

/** The Base64 of a SHA-256, as S3 has it in x-amz-checksum-sha256; one spelling only, since it is signed. */
export const IsSha256Base64 = () => validText('isSha256Base64', sha256Fault);

/** What is wrong with a checksum, or null. */
export function sha256Fault(text: string): string | null {
  const isOne = /^[A-Za-z0-9+/]{43}=$/.test(text) && Buffer.from(text, 'base64').toString('base64') === text;
  return isOne ? null : 'must be the Base64 of the 32 bytes of a SHA-256';
}

export const IsInteger = () => applyDecorators(IsInt(), Integer());

/** A query parameter is text; what is not plain digits stays text and is refused. */
export const IsQueryInteger = (): PropertyDecorator => (target, property) => {
  Transform(({ value }: { value: unknown }) =>
    typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : value,
  )(target, property);
  IsInteger()(target, property);
};

/** A query parameter that is `true` or `false`. */
export const IsQueryBoolean = (): PropertyDecorator => (target, property) => {
  Transform(({ value }: { value: unknown }) => (value === 'true' ? true : value === 'false' ? false : value))(
    target,
    property,
  );
  IsBoolean()(target, property);
};

/** A string for which `fault` finds nothing; its words are the message. */
export function validText(name: string, fault: (text: string) => string | null): PropertyDecorator {
  return ValidateBy({
    name,
    validator: {
      validate: (value) => typeof value === 'string' && fault(value) === null,
      defaultMessage: (args) =>
        typeof args?.value === 'string' ? (fault(args.value) ?? 'is not valid') : 'must be a string',
    },
  });
}

function textFault(text: string): string | null {
  if (text === '' || text.length > 255) return 'must have 1 to 255 characters';
  return /[\p{Surrogate}\u0000-\u001f\u007f]/u.test(text)
    ? 'must be well-formed Unicode without control characters'
    : null;
}

/** What is wrong with a name that is registered here, or null. */
export function nameFault(name: string): string | null {
  if (/^[a-z0-9](?:[a-z0-9._-]{0,61}[a-z0-9])?$/.test(name)) return null;
  return 'must be 1 to 63 of a-z, 0-9, ".", "_" and "-", with a letter or digit at both ends';
}
