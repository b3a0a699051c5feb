import { headersOf, NoAnswer, type Outgoing, readWhole } from '@countersign/outgoing';
import { codeIn, type StoreAnswer, USUAL_LIMITS } from './ask-store.js';

/** Who reads, and for how long. */
export interface Reader {
  /** Gets an object's bytes, one chunk after the other, in place of memory. It may throw, and then no more is read. */
  sink: (chunk: Uint8Array) => void;
  /** How long the store may send nothing. */
  idleMs: number;
}

/**
 * One GET of an object, however large: it may take as long as bytes arrive. Otherwise as `askStore`; the answer's body is that of a refusal, or
 * empty. What calls itself gzip is not unpacked. Attack: an object whose packed bytes are sent with a Content-Encoding that nobody
 * signed, and pass for what they unpack to.
 */
export async function readStore(
  outgoing: Outgoing,
  url: string,
  headers: Record<string, string>,
  signal: AbortSignal,
  { sink, idleMs }: Reader,
): Promise<StoreAnswer> {
  const idle = new AbortController();
  const end = AbortSignal.any([signal, idle.signal]);
  try {
    const begun = setTimeout(() => idle.abort(), idleMs);
    const response = await outgoing.open(url, { headers }, end).finally(() => clearTimeout(begun));
    response.setTimeout(idleMs, () => idle.abort());
    const { statusCode: status = 0 } = response;
    const answer = { isAnswered: true as const, status, headers: headersOf(response), code: '', body: Buffer.alloc(0) };
    if (status !== 200) {
      setTimeout(() => idle.abort(), USUAL_LIMITS.timeoutMs).unref();
      const body = await readWhole(response, USUAL_LIMITS.maxBytes);
      return { ...answer, code: codeIn(body), body };
    }
    for await (const chunk of response) sink(chunk as Uint8Array);
    return answer;
  } catch (error) {
    return { isAnswered: false, why: whyNot(error, end) };
  }
}

/** What the sink throws ends the reading too. */
function whyNot(error: unknown, end: AbortSignal): string {
  if (end.aborted) return 'not in time';
  return error instanceof NoAnswer
    ? error.message
    : ((error as NodeJS.ErrnoException).code ?? (error as Error).message);
}
