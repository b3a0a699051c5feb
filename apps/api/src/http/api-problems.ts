import { applyDecorators } from '@nestjs/common';
import { ApiExtraModels, ApiResponse, getSchemaPath } from '@nestjs/swagger';
import { problems } from '@countersign/errors';
import { Problem } from './problem.dto.js';

/** Describes the problems that an operation can answer with, from the one table of codes. */
export function ApiProblems(...statuses: number[]): MethodDecorator & ClassDecorator {
  return applyDecorators(
    ApiExtraModels(Problem),
    ...statuses.map((status) => {
      const codes = Object.entries(problems).filter(([, problem]) => problem.status === status);
      return ApiResponse({
        status,
        description: codes.map(([code, { title }]) => `\`${code}\`: ${title}.`).join(' '),
        content: { 'application/problem+json': { schema: { $ref: getSchemaPath(Problem) } } },
      });
    }),
  );
}
