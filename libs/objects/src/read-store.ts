import http from 'node:http';
import https from 'node:https';
import { codeIn, readWhole, reasonOf, type StoreAnswer, USUAL_LIMITS } from './ask-store.js';

/** Who reads, and for how long. */
export interface Reader {
  /** Gets an object's bytes, one chunk after the other, in place of memory. It may throw, and then no more is read. */
  sink: (chunk: Uint8Array) => void;
  /** How long the store may send nothing. */
  idleMs: number;
}

/**
 * One GET of an object, however large: it may take as long as bytes arrive. Otherwise as `askStore`; the answer's body is that of a refusal, or
 * empty. Not by fetch, which unpacks what calls itself gzip. Attack: an object whose packed bytes are sent with a Content-Encoding that
 * nobody signed, and pass for what they unpack to.
 */
export async function readStore(
  url: string,
  headers: Record<string, string>,
  signal: AbortSignal,
  { sink, idleMs }: Reader,
): Promise<StoreAnswer> {
  const idle = new AbortController();
  const end = AbortSignal.any([signal, idle.signal]);
  try {
    const response = await new Promise<http.IncomingMessage>((resolve, reject) => {
      const options = { headers: { ...headers, 'accept-encoding': 'identity' }, signal: end };
      const request = (url.startsWith('https:') ? https : http).get(url, options, resolve);
      request.setTimeout(idleMs, () => idle.abort()).on('error', reject);
    });
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
    return { isAnswered: false, why: end.aborted ? 'not in time' : reasonOf(error) };
  }
}

function headersOf({ headersDistinct }: http.IncomingMessage): Headers {
  return new Headers(
    Object.entries(headersDistinct).flatMap(([name, values = []]) =>
      values.map((value) => [name, value] as [string, string]),
    ),
  );
}
