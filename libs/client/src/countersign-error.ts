import type { components } from './schema.js';

export type FieldError = components['schemas']['ProblemFieldError'];

/** A code of docs/errors.md. A later version of the service may have more, and what is not from the service is `unknown`. */
export type ProblemCode = components['schemas']['ProblemCode'] | 'unknown' | (string & Record<never, never>);

/**
 * The service refused, or could not answer: decide by `code`, show `detail` to people. What never reached a server is not this error
 * but what `fetch` throws.
 */
export class CountersignError extends Error {
  override readonly name = 'CountersignError';
  readonly code: ProblemCode;
  readonly status: number;
  readonly detail: string;
  /** Of `invalid-request` and of a 422: all that is wrong, each with its place. */
  readonly errors: readonly FieldError[];
  /** Names the request in the service's logs; null where the answer was not the service's. */
  readonly requestId: string | null;
  /** When to try again, or null where that would not help. */
  readonly retryAfterSeconds: number | null;

  constructor(problem: Partial<Omit<CountersignError, keyof Error>> & { status: number }) {
    const { code = 'unknown', detail = `The server answered ${problem.status}, and not as Countersign does.` } =
      problem;
    super(`${code}: ${detail}`);
    this.code = code;
    this.status = problem.status;
    this.detail = detail;
    this.errors = problem.errors ?? [];
    this.requestId = problem.requestId ?? null;
    this.retryAfterSeconds = problem.retryAfterSeconds ?? null;
  }

  /** The error that an answer stands for. One that is no problem+json, such as a proxy's page, has the code `unknown`. */
  static async of(response: Response): Promise<CountersignError> {
    const { status, headers } = response;
    const retryAfter = headers.get('retry-after') ?? '';
    return new CountersignError({
      ...(await readProblem(response)),
      status,
      requestId: headers.get('x-request-id'),
      retryAfterSeconds: /^\d+$/.test(retryAfter) ? Number(retryAfter) : null,
    });
  }
}

async function readProblem(response: Response): Promise<Partial<Pick<CountersignError, 'code' | 'detail' | 'errors'>>> {
  if (!response.headers.get('content-type')?.startsWith('application/problem+json')) return {};
  try {
    const { code, detail, errors = [] } = (await response.json()) as components['schemas']['Problem'];
    return { code, detail, errors };
  } catch {
    return {};
  }
}
