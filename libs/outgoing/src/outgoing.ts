import http from 'node:http';
import https from 'node:https';
import { Inject, Injectable } from '@nestjs/common';
import { Config } from '@countersign/config';
import { insecurityOf, lookupPublic } from './public-address.js';

export interface OutgoingRequest {
  method?: string;
  headers?: Readonly<Record<string, string>>;
  body?: string | Uint8Array<ArrayBuffer> | FormData | undefined;
}

/** An answer that has arrived whole. */
export interface OutgoingAnswer {
  status: number;
  headers: Headers;
  body: Buffer;
}

/** Its message says why, in words that hold nothing of the request: a URL may hold a signature. */
export class NoAnswer extends Error {}

/** Set by HTTP itself. */
const OF_HTTP = /^(?:host|content-length)$/i;

/**
 * Requests to places that somebody named: stores, key issuers, identity providers. None follows a redirect, none unpacks what it gets, each is
 * bounded in time and size by who asks. Where the installation allows no insecure endpoints, none goes anywhere but to a public address by
 * TLS, whatever a name resolves to.
 */
@Injectable()
export class Outgoing {
  readonly #isPublicOnly: boolean;
  readonly #kept = agents({ keepAlive: true });
  readonly #fresh = agents({ keepAlive: false });

  constructor(@Inject(Config) config: Pick<Config, 'allowInsecureEndpoints'>) {
    this.#isPublicOnly = !config.allowInsecureEndpoints;
  }

  /** @throws NoAnswer, also where there is more than `maxBytes` or the signal ends it. */
  async ask(
    url: string | URL,
    request: OutgoingRequest,
    signal: AbortSignal,
    maxBytes: number,
  ): Promise<OutgoingAnswer> {
    try {
      const response = await this.open(url, request, signal);
      const body = await readWhole(response, maxBytes);
      return { status: response.statusCode ?? 0, headers: headersOf(response), body };
    } catch (error) {
      throw asNoAnswer(error);
    }
  }

  /** The answer as it begins; its body is a stream. @throws NoAnswer */
  async open(url: string | URL, request: OutgoingRequest, signal: AbortSignal): Promise<http.IncomingMessage> {
    const place = new URL(url);
    const insecurity = this.#isPublicOnly ? insecurityOf(place) : null;
    if (insecurity !== null) throw new NoAnswer(`its endpoint ${insecurity}`);
    const { method = 'GET', headers = {}, body } = request;
    // What changes something is sent once, on a connection of its own: one that was kept may be closing, and nobody knows then.
    const isSafe = method === 'GET' || method === 'HEAD';
    const options: https.RequestOptions = {
      method,
      headers: { ...withoutHttps(headers), 'accept-encoding': 'identity' },
      agent: (isSafe ? this.#kept : this.#fresh)[place.protocol as 'http:' | 'https:'],
      signal,
      ...(this.#isPublicOnly ? { lookup: lookupPublic } : {}),
    };
    const sent = await encoded(body);
    if (sent.type !== null) options.headers = { 'content-type': sent.type, ...options.headers };
    return begin(place, options, sent.bytes).catch((error: unknown) => {
      throw asNoAnswer(error);
    });
  }
}

/** @throws Error where there is more. */
export async function readWhole(body: AsyncIterable<Uint8Array>, maxBytes: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.byteLength;
    // Leaving the loop ends the connection.
    if (size > maxBytes) throw new NoAnswer(`it sent more than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function begin(place: URL, options: https.RequestOptions, body: Uint8Array | null): Promise<http.IncomingMessage> {
  return new Promise((resolve, reject) => {
    const request = (place.protocol === 'https:' ? https : http).request(place, options, resolve);
    request.on('error', (error: NodeJS.ErrnoException) => {
      // A kept connection that the other side had closed already: nothing was asked by it (Node.js, "request.reusedSocket").
      if (request.reusedSocket && error.code === 'ECONNRESET') resolve(begin(place, options, body));
      else reject(error);
    });
    if (body === null) request.end();
    else request.setHeader('content-length', body.byteLength).end(body);
  });
}

async function encoded(body: OutgoingRequest['body']): Promise<{ bytes: Uint8Array | null; type: string | null }> {
  if (body === undefined) return { bytes: null, type: null };
  if (!(body instanceof FormData)) return { bytes: Buffer.from(body), type: null };
  const form = new Response(body);
  return { bytes: new Uint8Array(await form.arrayBuffer()), type: form.headers.get('content-type') };
}

const agents = (options: https.AgentOptions) => ({
  'http:': new http.Agent(options),
  'https:': new https.Agent(options),
});

const withoutHttps = (headers: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => !OF_HTTP.test(name)));

/** Names that came several times stay several. */
export function headersOf({ headersDistinct }: http.IncomingMessage): Headers {
  return new Headers(
    Object.entries(headersDistinct).flatMap(([name, values = []]) =>
      values.map((value) => [name, value] as [string, string]),
    ),
  );
}

function asNoAnswer(error: unknown): NoAnswer {
  if (error instanceof NoAnswer) return error;
  const { name, message, code } = error as NodeJS.ErrnoException;
  if (name === 'TimeoutError' || name === 'AbortError') return new NoAnswer('not in time');
  return new NoAnswer(code ?? message);
}
