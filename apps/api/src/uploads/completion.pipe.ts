import { createParamDecorator, type ExecutionContext, type PipeTransform } from '@nestjs/common';
import type { FieldError } from '@countersign/errors';
import type { NamedPart } from '@countersign/uploads';
import type { FastifyRequest } from 'fastify';
import { notAnObject } from '../http/batch.pipe.js';
import { type ItemValidator, itemValidator } from '../http/item-validator.js';
import { structureFault } from '../http/json.js';
import { UnreadableBody } from '../http/json-body.js';
import { invalid } from '../http/request-validation.pipe.js';
import { UnreadBody } from '../http/unread-body.js';
import { CompletionRequest, NamedUploadPart } from './uploads.dto.js';

/** How many faults are told of. */
const TOLD_AT_MOST = 100;

/** Reads the body of a completion, behind the guard: the parts that it names, or null where it has none, or there is no body at all. */
class CompletionPipe<Part extends object> implements PipeTransform<unknown, Promise<readonly NamedPart[] | null>> {
  readonly #validateRequest: ItemValidator<{ parts?: Part[] }>;
  readonly #validatePart: ItemValidator<Part>;

  constructor(private readonly wording: Wording<Part>) {
    this.#validateRequest = itemValidator(wording.request);
    this.#validatePart = itemValidator(wording.part);
  }

  async transform(body: unknown): Promise<readonly NamedPart[] | null> {
    if (body instanceof UnreadableBody) throw body.problem;
    const value = body instanceof UnreadBody ? await body.read() : body;
    if (value === undefined) return null;
    if (!isObject(value)) throw notAnObject('body');
    const fault = structureFault({ ...value, parts: null });
    const request = fault ? [fault] : this.#validateRequest(value);
    if (Array.isArray(request)) throw invalid(request);
    return request.parts ? this.#parse(request.parts) : null;
  }

  #parse(parts: readonly unknown[]): NamedPart[] {
    const numbers = new Set<number>();
    const faults: FieldError[] = [];
    const twice: FieldError = { pointer: `/${this.wording.partNumber}`, message: 'is there already' };
    const parsed = parts.flatMap((part, n) => {
      const outcome = this.#parseOne(part);
      const named = Array.isArray(outcome) ? null : this.wording.read(outcome);
      const errors = Array.isArray(outcome) ? outcome : named && numbers.has(named.partNumber) ? [twice] : [];
      for (const { pointer, message } of errors) faults.push({ pointer: `/parts/${n}${pointer}`, message });
      if (!named) return [];
      numbers.add(named.partNumber);
      return [named];
    });
    if (faults.length > 0) throw invalid(faults.slice(0, TOLD_AT_MOST));
    return parsed;
  }

  #parseOne(part: unknown): Part | FieldError[] {
    if (!isObject(part)) return [{ pointer: '', message: 'must be an object' }];
    const fault = structureFault(part);
    return fault ? [fault] : this.#validatePart(part);
  }
}

/** The body, if there is one: unlike `@Body()` it may be missing. */
const OptionalBody = createParamDecorator(
  (_: unknown, context: ExecutionContext): unknown => context.switchToHttp().getRequest<FastifyRequest>().body,
);

/** How somebody writes the parts. */
export interface Wording<Part extends object> {
  request: new () => { parts?: Part[] };
  part: new () => Part;
  /** What they call a part's number. */
  partNumber: keyof Part & string;
  read: (part: Part) => NamedPart;
}

const OURS: Wording<NamedUploadPart> = {
  request: CompletionRequest,
  part: NamedUploadPart,
  partNumber: 'partNumber',
  read: (part) => part,
};

export const NamedParts = () => NamedPartsIn(OURS);

export const NamedPartsIn = <Part extends object>(wording: Wording<Part>) => OptionalBody(new CompletionPipe(wording));

const isObject = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
