export { problems, type ProblemCode } from './problems.js';
export { ProblemError, type FieldError } from './problem-error.js';
