import { ApiExtension } from '@nestjs/swagger';
import type { ProblemCode } from '@countersign/errors';

export const PROBLEMS = 'x-problems';

/** The problems that are this operation's own. Those that go with a token, a body, a query or `If-Match` are added by themselves. */
export const ApiProblems = (...codes: ProblemCode[]) => ApiExtension(PROBLEMS, codes);
