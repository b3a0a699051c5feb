import { applyDecorators } from '@nestjs/common';
import { ApiProperty, getSchemaPath } from '@nestjs/swagger';
import { ArrayMaxSize, ArrayMinSize, IsArray } from 'class-validator';
import { Problem } from '../http/problem.dto.js';

const MAX_ITEMS = 1_000;

/** Each item is checked by itself, by BatchPipe. */
export const IsBatch = () =>
  applyDecorators(
    ArrayMaxSize(MAX_ITEMS),
    ArrayMinSize(1),
    IsArray(),
    ApiProperty({ minItems: 1, maxItems: MAX_ITEMS }),
  );

/**
 * Enough for 1,000 full items. The largest is a download: bucket, use case and content type have 255 characters at the most, and key,
 * filename and version id 1,024, which is 3,837 together; JSON may write each of them in six bytes (`\u0061`, `\u00e9`), so 23,022. What is
 * left of 24 KiB, 1,554 bytes, holds the names and the short fields, written like that too.
 */
export const BATCH_LIMIT_BYTES = MAX_ITEMS * 24 * 1024;

/** An item that got no URL. */
export class RefusedItem {
  /** What the single call would have answered with. */
  @ApiProperty({ type: 'integer', enum: [400, 403, 404, 409, 422, 503] }) status!: 400 | 403 | 404 | 409 | 422 | 503;

  body!: Problem;
}

/** One answer an item: issued, as this class has it, or refused. `status` says which. */
export const AnswersOf = (IssuedItem: new () => { status: 201 }): PropertyDecorator =>
  ApiProperty({
    type: 'array',
    items: { oneOf: [IssuedItem, RefusedItem].map((item) => ({ $ref: getSchemaPath(item) })) },
  });

/** An example of a refused item. */
export const REFUSED_ITEM: RefusedItem = {
  status: 403,
  body: {
    type: '/docs/errors#not-granted',
    title: 'No grant allows this',
    status: 403,
    code: 'not-granted',
    detail: 'No grant allows the caller to do this to this key.',
    requestId: 'c1f2a7de-3b58-4f0e-9b0c-5d8f6f3a9e21',
  },
};
