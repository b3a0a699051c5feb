import { type ProblemCode, problems } from '@countersign/errors';
import { ApiProperty } from '@nestjs/swagger';
import { Integer, Uuid } from './fields.js';

const Code = () =>
  ApiProperty({ enum: Object.keys(problems), enumName: 'ProblemCode', enumSchema: { description: CODE_DESCRIPTION } });

const CODE_DESCRIPTION = 'What a program can rely on. A code never changes its meaning; later versions may add codes.';

/** One thing that is wrong with a request. */
export class ProblemFieldError {
  /** RFC 6901; of a query, as if its parameters were members of an object. */
  pointer!: string;

  /** What is wrong there, for people. */
  message!: string;

  /** Of a 422: what is wrong. */
  @Code() code?: ProblemCode;

  /** Of a 422: the limits that were passed. */
  limits?: Record<string, unknown>;
}

/** RFC 9457. */
export class Problem {
  /** Where the code is explained. */
  @ApiProperty({ format: 'uri-reference' }) type!: string;

  /** The code in words, always the same ones. */
  title!: string;

  /** The HTTP status. */
  @Integer() status!: number;

  @Code() code!: ProblemCode;

  /** What went wrong this time, for people. */
  detail!: string;

  /** Names this request in our logs: tell it to the operator. */
  @Uuid() requestId!: string;

  /** Of a 400 or 422: all that is wrong, each with its place. */
  errors?: ProblemFieldError[];

  /** Of `/compat/uppy`: what Uppy shows the person who uploads. */
  message?: string;

  /** Of `rotation-under-way`: the rotation to follow. */
  @Uuid() rotationId?: string;
}
