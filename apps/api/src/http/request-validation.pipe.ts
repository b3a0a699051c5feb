import { type ArgumentMetadata, Injectable, ValidationPipe } from '@nestjs/common';
import { ProblemError, type FieldError } from '@countersign/errors';
import type { ValidationError } from 'class-validator';
import { type CompiledDto, compileDto } from './compiled-dto.js';
import { FORBIDDEN_NAMES } from './json.js';
import { UnreadableBody } from './json-body.js';

/**
 * Every body and query against its DTO: parsed at the edge, so that what is inside can be trusted. Unknown fields are refused, nothing is
 * converted, and all that is wrong is told at once, each with its pointer (RFC 6901).
 */
@Injectable()
export class RequestValidationPipe extends ValidationPipe {
  readonly #compiled = new Map<unknown, CompiledDto | null>();

  constructor() {
    super({
      whitelist: true,
      forbidNonWhitelisted: true,
      forbidUnknownValues: true,
      transform: true,
      stopAtFirstError: true,
      validationError: { target: false, value: false },
      exceptionFactory: (errors) => invalid(errors.flatMap((error) => toFieldErrors(error, ''))),
    });
  }

  override async transform(value: unknown, metadata: ArgumentMetadata): Promise<unknown> {
    if (value instanceof UnreadableBody) throw value.problem;
    if (metadata.type === 'body' && (typeof value !== 'object' || value === null || Array.isArray(value))) {
      throw new ProblemError('invalid-request', 'The body must be a JSON object.', {
        errors: [{ pointer: '', message: 'must be an object' }],
      });
    }
    const good = metadata.type === 'body' ? this.#compile(metadata.metatype)?.(value as object) : null;
    if (good) return good;
    // Of a body, the parser has refused them.
    const forbidden = metadata.type === 'query' ? Object.keys(value as object).filter(isForbidden) : [];
    if (forbidden.length > 0) {
      throw invalid(forbidden.map((name) => ({ pointer: `/${name}`, message: 'is not a field of this request' })));
    }
    return super.transform(value, metadata);
  }

  #compile(Dto: ArgumentMetadata['metatype']): CompiledDto | null {
    if (!Dto) return null;
    const known = this.#compiled.get(Dto);
    if (known !== undefined) return known;
    const compiled = compileDto(Dto as new () => object);
    this.#compiled.set(Dto, compiled);
    return compiled;
  }
}

const isForbidden = (name: string): boolean => FORBIDDEN_NAMES.has(name);

/** The problem for fields that are wrong in a way that one DTO property cannot say. */
export function invalid(errors: FieldError[]): ProblemError {
  const fields = errors.map((error) => error.pointer).join(', ');
  return new ProblemError('invalid-request', `The request is malformed: see ${fields}.`, { errors });
}

export function toFieldErrors(error: ValidationError, parent: string): FieldError[] {
  const pointer = `${parent}/${error.property.replaceAll('~', '~0').replaceAll('/', '~1')}`;
  const messages = Object.entries(error.constraints ?? {}).map(([name, message]) => ({
    pointer,
    message:
      name === 'whitelistValidation' ? 'is not a field of this request' : message.replace(`${error.property} `, ''),
  }));
  return [...messages, ...(error.children ?? []).flatMap((child) => toFieldErrors(child, pointer))];
}
