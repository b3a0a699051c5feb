import type { FieldError } from '@countersign/errors';
import { validateSync } from 'class-validator';
import { compileDto } from './compiled-dto.js';
import { toFieldErrors } from './request-validation.pipe.js';

/** An instance of the DTO, or all that is wrong with the item. */
export type ItemValidator<Item> = (item: object) => Item | FieldError[];

/** By the rules of RequestValidationPipe, and at once: a promise for each of a thousand items would cost more than the rules. */
export function itemValidator<Item extends object>(Dto: new () => Item): ItemValidator<Item> {
  const compiled = compileDto(Dto);
  return (item) => {
    const good = compiled?.(item);
    if (good) return good as Item;
    const instance = Object.assign(new Dto(), item);
    const errors = validateSync(instance, RULES);
    return errors.length === 0 ? instance : errors.flatMap((error) => toFieldErrors(error, ''));
  };
}

const RULES = {
  whitelist: true,
  forbidNonWhitelisted: true,
  forbidUnknownValues: true,
  stopAtFirstError: true,
  validationError: { target: false, value: false },
};
