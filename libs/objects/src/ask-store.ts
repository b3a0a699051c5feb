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

/** An error of S3 and whatever we put there ourselves; a store may not fill our memory. */
const MAX_BODY_BYTES = 64 * 1024;

const TIMEOUT_MS = 5_000;

/**
 * One request to a store that an administrator named, and its answer, whole and in time. Never throws for what the store does, follows no
 * redirect, and tells in words why there is no answer.
 * @param signal an earlier end than that of one request.
 */
export async function askStore(url: string, request: StoreRequest, signal: AbortSignal): Promise<StoreAnswer> {
  try {
    const response = await fetch(url, {
      ...request,
      // Attack: an endpoint that sends us on to a host of the network that we run in.
      redirect: 'manual',
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
    });
    const body = await readWhole(response);
    const code = response.ok ? '' : (/<Code>([A-Za-z0-9._-]{1,64})<\/Code>/.exec(body.toString())?.[1] ?? '');
    return { isAnswered: true, status: response.status, code, headers: response.headers, body };
  } catch (error) {
    return { isAnswered: false, why: reasonOf(error) };
  }
}

async function readWhole(response: Response): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.byteLength;
    if (size > MAX_BODY_BYTES) throw new Error(`it sent more than ${MAX_BODY_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Fetch hides the network's own words in the cause. Never the request: its URL holds a signature. */
function reasonOf(error: unknown): string {
  const { name, message, cause } = error as Error;
  if (name === 'TimeoutError' || name === 'AbortError') return 'not in time';
  const { code } = (cause ?? {}) as { code?: unknown };
  return typeof code === 'string' ? code : message;
}
