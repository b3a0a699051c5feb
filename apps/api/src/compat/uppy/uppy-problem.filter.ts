import { Catch } from '@nestjs/common';
import type { ProblemError } from '@countersign/errors';
import type { Problem } from '../../http/problem.dto.js';
import { ProblemFilter } from '../../http/problem.filter.js';
import { toSentence } from './uppys-words.js';

/** The same problems with a `message`: all that Uppy shows of an answer (@uppy/companion-client 5.1, `handleJSONResponse`). */
@Catch()
export class UppyProblemFilter extends ProblemFilter {
  protected override bodyOf(problem: ProblemError, requestId: string): Problem {
    const { status, errors, detail } = problem;
    const message = status === 400 && errors.length > 0 ? toSentence(errors) : detail;
    return { ...super.bodyOf(problem, requestId), message };
  }
}
