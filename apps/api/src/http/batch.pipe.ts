import type { PipeTransform } from '@nestjs/common';
import { ProblemError } from '@countersign/errors';
import { type ItemValidator, itemValidator } from './item-validator.js';
import { structureFault } from './json.js';
import { invalid } from './request-validation.pipe.js';
import { UnreadBody } from './unread-body.js';

/** The items of a batch, in order. Where one is malformed there stands what is wrong with it: it harms no other. */
export type Batch<Item> = readonly (Item | ProblemError)[];

/** Reads a batch, behind the guard, and holds each item against its own DTO. The whole is refused only where it is no batch. */
export class BatchPipe<Item extends object> implements PipeTransform<unknown, Promise<Batch<Item>>> {
  readonly #validateBatch: ItemValidator<{ items: unknown[] }>;
  readonly #validateItem: ItemValidator<Item>;

  constructor(BatchDto: new () => { items: unknown[] }, ItemDto: new () => Item) {
    this.#validateBatch = itemValidator(BatchDto);
    this.#validateItem = itemValidator(ItemDto);
  }

  /** @throws ProblemError */
  async transform(body: unknown): Promise<Batch<Item>> {
    const value = body instanceof UnreadBody ? await body.read() : body;
    if (!isObject(value)) throw notAnObject('body');
    // The items' own structure is each item's own matter.
    const fault = structureFault({ ...value, items: null });
    const batch = fault ? [fault] : this.#validateBatch(value);
    if (Array.isArray(batch)) throw invalid(batch);
    return batch.items.map((item) => this.#parse(item));
  }

  #parse(item: unknown): Item | ProblemError {
    if (!isObject(item)) return notAnObject('item');
    const fault = structureFault(item);
    const parsed = fault ? [fault] : this.#validateItem(item);
    return Array.isArray(parsed) ? invalid(parsed) : parsed;
  }
}

const isObject = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export const notAnObject = (name: 'body' | 'item'): ProblemError =>
  new ProblemError('invalid-request', `The ${name} must be a JSON object.`, {
    errors: [{ pointer: '', message: 'must be an object' }],
  });
