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

export interface StoreRequest {
  method: string;
  headers?: Record<string, string>;
  body?: string | Uint8Array<ArrayBuffer> | FormData;
}

/** How long a whole answer may take, and how large it may be: a store may not fill our memory. */
export interface Limits {
  timeoutMs: number;
  maxBytes: number;
}

/** Enough for an error of S3 and for whatever we put there ourselves. */
export const USUAL_LIMITS: Limits = { timeoutMs: 5_000, maxBytes: 64 * 1024 };

/**
 * One request to a store that an administrator named, and its answer, whole and in time. Never throws for what the store does, follows no
 * redirect, and tells in words why there is no answer.
 * @param signal an earlier end than that of one request.
 */
export async function askStore(
  url: string,
  request: StoreRequest,
  signal?: AbortSignal,
  { timeoutMs, maxBytes } = USUAL_LIMITS,
): Promise<StoreAnswer> {
  const timeout = AbortSignal.timeout(timeoutMs);
  try {
    const response = await fetch(url, {
      ...request,
      // Attack: an endpoint that sends us on to a host of the network that we run in.
      redirect: 'manual',
      signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
    });
    const body = await readWhole(response.body ?? [], maxBytes);
    const code = response.ok ? '' : codeIn(body);
    return { isAnswered: true, status: response.status, code, headers: response.headers, body };
  } catch (error) {
    return { isAnswered: false, why: reasonOf(error) };
  }
}

/** @throws Error where there is more. */
export async function readWhole(body: AsyncIterable<Uint8Array> | [], maxBytes: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.byteLength;
    // Leaving the loop ends the connection.
    if (size > maxBytes) throw new Error(`it sent more than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** S3's code of an error, or "" (Amazon S3 API Reference, "Error responses"). */
export const codeIn = (body: Buffer): string => asCode(/<Code>([^<]*)<\/Code>/.exec(body.toString())?.[1] ?? '');

/** Attack: a store that answers with the request's signature, 64 characters, in place of a code: codes are shown, and kept. */
export const asCode = (name: string): string => (/^[A-Za-z0-9._-]{1,60}$/.test(name) ? name : '');

/** Fetch hides the network's own words in the cause. Never the request: its URL holds a signature. */
export function reasonOf(error: unknown): string {
  const { name, message, code, cause } = error as Error & { code?: unknown };
  if (name === 'TimeoutError' || name === 'AbortError') return 'not in time';
  const networks = ((cause ?? {}) as { code?: unknown }).code ?? code;
  return typeof networks === 'string' ? networks : message;
}
