import { KeyIssuerError } from './key-issuer.js';

/** An answer that has arrived whole. */
export interface Answer {
  status: number;
  headers: Record<string, string>;
  body: Buffer;
}

/** A user with many keys fits in; whoever runs the endpoint may not fill our memory. */
const MAX_BODY_BYTES = 1024 * 1024;

/** What fetch sets by itself. */
const OF_FETCH = new Set(['host', 'content-length']);

/**
 * One request to an endpoint that an administrator named, and its whole answer, for as long as the signal allows.
 * @throws KeyIssuerError `unknown` where there is no answer: the request may have been obeyed. Its message names the host and no query.
 */
export async function issuerFetch(
  url: URL,
  { method, headers, body }: { method: string; headers: Record<string, string>; body?: string | undefined },
  signal: AbortSignal,
): Promise<Answer> {
  try {
    const response = await fetch(url, {
      method,
      headers: Object.fromEntries(Object.entries(headers).filter(([name]) => !OF_FETCH.has(name.toLowerCase()))),
      ...(body === undefined ? {} : { body }),
      // Attack: an endpoint that sends us on to a host of the private network. A redirect is an answer like any other.
      redirect: 'manual',
      signal,
    });
    const read = await readWhole(response);
    return {
      status: response.status,
      headers: Object.fromEntries(response.headers),
      body: response.ok ? read : withoutSecrets(read, headers),
    };
  } catch (error) {
    throw new KeyIssuerError('unknown', `${url.host} gave no answer: ${reasonOf(error)}.`);
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

/** Attack: an endpoint whose error says what it was sent, as AWS's own does where a signature is wrong; administrators read those words. */
function withoutSecrets(body: Buffer, headers: Record<string, string>): Buffer {
  let words = body.toString('latin1');
  for (const [name, value] of Object.entries(headers)) {
    const secret = SECRETS[name.toLowerCase()]?.exec(value)?.[0];
    for (const written of secret ? [secret, encodeURIComponent(secret)] : []) words = words.replaceAll(written, '***');
  }
  return Buffer.from(words, 'latin1');
}

/** What of these headers must be shown to nobody. The secret itself is in no request. */
const SECRETS: Record<string, RegExp> = { authorization: /[0-9a-f]{64}$/, 'x-amz-security-token': /.+/ };

/** Fetch hides the network's own words in the cause. Never the error itself: a request in it would hold a signature. */
function reasonOf(error: unknown): string {
  const { name, message, cause } = error as Error;
  if (name === 'TimeoutError') return 'not in time';
  const { code } = (cause ?? {}) as { code?: unknown };
  return typeof code === 'string' ? code : message;
}
