/** One thing that is wrong with a request. */
export class ProblemFieldError {
  /** RFC 6901; of a query, as if its parameters were members of an object. */
  pointer!: string;

  message!: string;

  /** Of a 422: what is wrong. */
  code?: string;

  /** Of a 422: the limits that were passed. */
  limits?: Record<string, unknown>;
}

/** RFC 9457. */
export class Problem {
  /** Where the code is explained. */
  type!: string;

  title!: string;
  status!: number;

  /** What a program can rely on; docs/errors.md lists them. */
  code!: string;

  detail!: string;
  requestId!: string;

  /** Of a 400 or 422. */
  errors?: ProblemFieldError[];
}
