import { NoAnswer, type Outgoing, type OutgoingRequest } from '@countersign/outgoing';

/** How a store answered one request, as far as we look. */
export type StoreAnswer =
  | {
      isAnswered: true;
      status: number;
      /** S3's code of an error, or "". */
      code: string;
      headers: Headers;
      body: Buffer;
    }
  /** It gave no answer, for this reason, in words. */
  | { isAnswered: false; why: string };

/** How long a whole answer may take, and how large it may be: a store may not fill our memory. */
export interface Limits {
  timeoutMs: number;
  maxBytes: number;
}

/** Enough for an error of S3 and for whatever we put there ourselves. */
export const USUAL_LIMITS: Limits = { timeoutMs: 5_000, maxBytes: 64 * 1024 };

/**
 * One request to a store that an administrator named, and its answer, whole and in time. Never throws for what the store does, and tells in
 * words why there is no answer.
 * @param signal an earlier end than that of one request.
 */
export async function askStore(
  outgoing: Outgoing,
  url: string,
  request: OutgoingRequest,
  signal?: AbortSignal,
  { timeoutMs, maxBytes } = USUAL_LIMITS,
): Promise<StoreAnswer> {
  const timeout = AbortSignal.timeout(timeoutMs);
  const end = signal ? AbortSignal.any([signal, timeout]) : timeout;
  try {
    const answer = await outgoing.ask(url, request, end, maxBytes);
    const isError = answer.status < 200 || answer.status > 299;
    return { isAnswered: true, code: isError ? codeIn(answer.body) : '', ...answer };
  } catch (error) {
    return { isAnswered: false, why: whyNot(error) };
  }
}

/** S3's code of an error, or "" (Amazon S3 API Reference, "Error responses"). */
export const codeIn = (body: Buffer): string => asCode(/<Code>([^<]*)<\/Code>/.exec(body.toString())?.[1] ?? '');

/** Attack: a store that answers with the request's signature, 64 characters, in place of a code: codes are shown, and kept. */
export const asCode = (name: string): string => (/^[A-Za-z0-9._-]{1,60}$/.test(name) ? name : '');

/** Anything else is a fault of ours. */
export function whyNot(error: unknown): string {
  if (error instanceof NoAnswer) return error.message;
  throw error;
}
