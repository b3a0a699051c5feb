import type { Answer } from '@countersign/signing-keys';

const TIMEOUT_MS = 5_000;

/** More than any S3 error has; the rest is not read. */
const READ_AT_MOST_BYTES = 64 * 1024;

/** One request by a presigned URL, and what its answer says of the key. Nothing of the URL is in it, and it never throws. */
export async function askStore(url: string, request: RequestInit = {}): Promise<Answer> {
  try {
    const response = await fetch(url, { ...request, redirect: 'manual', signal: AbortSignal.timeout(TIMEOUT_MS) });
    return classify(response.status, codeOf(await readText(response)));
  } catch (error) {
    const isLate = error instanceof Error && error.name === 'TimeoutError';
    return { kind: 'unclear', why: isLate ? `no answer within ${TIMEOUT_MS / 1000} s` : 'no connection' };
  }
}

/** Amazon S3 API Reference, "Error responses". Whoever answers without a code of S3 is not the store, or not well. */
function classify(status: number, code: string): Answer {
  if (status >= 200 && status < 300) return { kind: 'accepted', status };
  // The key was believed, and there is nothing.
  if (status === 404 && code === 'NoSuchKey') return { kind: 'accepted', status };
  const isAboutKey = [400, 401, 403].includes(status) && code !== '' && code !== 'RequestTimeTooSkewed';
  return isAboutKey ? { kind: 'refused', status, code } : { kind: 'unclear', why: `${status} ${code}`.trim() };
}

/** Attack: a store that answers with the URL's signature, 64 characters, in place of a code: codes are shown, and kept. */
const codeOf = (text: string): string => /<Code>([A-Za-z0-9.]{1,60})<\/Code>/.exec(text)?.[1] ?? '';

async function readText({ body }: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of (body ?? []) as AsyncIterable<Uint8Array>) {
    chunks.push(chunk);
    length += chunk.length;
    // Leaving the loop cancels the rest.
    if (length > READ_AT_MOST_BYTES) break;
  }
  return Buffer.concat(chunks).subarray(0, READ_AT_MOST_BYTES).toString();
}
