import { applyDecorators } from '@nestjs/common';
import { ApiExtraModels, ApiProperty, getSchemaPath } from '@nestjs/swagger';
import { ValidateBy } from 'class-validator';
import { ByteCount } from '../http/fields.js';

/** In bytes; both ends are within it. */
export class ContentLengthRange {
  @ByteCount() min!: number;
  @ByteCount() max!: number;
}

const MESSAGE = 'must be {"min", "max"}: whole numbers of bytes, min at most max';

/** Checked as one value: a nested class would cost every upload the compiled rules (see compiled-dto.ts). */
export const IsContentLengthRange = () =>
  applyDecorators(
    (target: object) => ApiExtraModels(ContentLengthRange)(target.constructor),
    ApiProperty({ allOf: [{ $ref: getSchemaPath(ContentLengthRange) }] }),
    ValidateBy({ name: 'isContentLengthRange', validator: { validate: isRange, defaultMessage: () => MESSAGE } }),
  );

function isRange(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Object.keys(value).length !== 2) return false;
  const { min, max } = value as Partial<Record<'min' | 'max', unknown>>;
  return isByteCount(min) && isByteCount(max) && min <= max;
}

const isByteCount = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0;
