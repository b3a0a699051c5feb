import { Readable } from 'node:stream';
import { NoAnswer, type Outgoing } from '@countersign/outgoing';
import { HttpRequest, HttpResponse } from '@smithy/protocol-http';
import { askStore, type StoreAnswer, USUAL_LIMITS } from './ask-store.js';
import { type Reader, readStore } from './read-store.js';

/** What may be said of one request to the SDK: limits other than the usual, or where the object that it reads goes. */
export interface Asking {
  signal?: AbortSignal;
  requestTimeout?: number;
  maxBytes?: number;
  reader?: Reader;
}

/** How the SDK reaches the store: with our limits of time and size, and without following redirects. */
export class StoreHttpHandler {
  readonly metadata = { handlerProtocol: 'http/1.1' };

  constructor(
    private readonly outgoing: Outgoing,
    private readonly signal: AbortSignal,
  ) {}

  async handle(request: HttpRequest, asking: Asking = {}): Promise<{ response: HttpResponse }> {
    const { protocol, hostname, port, path, query } = request;
    const search = Object.entries(query).map(([name, value]) =>
      [name, String(value ?? '')].map(encodeURIComponent).join('='),
    );
    const url = `${protocol}//${hostname}${port === undefined ? '' : `:${port}`}${path}?${search.join('&')}`;
    const answer = await this.#ask(url, request, asking);
    if (!answer.isAnswered) throw new NoAnswer(answer.why);
    const { status: statusCode, headers, body } = answer;
    // The SDK takes an object only from a stream.
    const given = asking.reader && statusCode === 200 ? Readable.from([]) : body;
    return { response: new HttpResponse({ statusCode, headers: Object.fromEntries(headers), body: given }) };
  }

  #ask(url: string, { method, headers, body }: HttpRequest, asking: Asking): Promise<StoreAnswer> {
    const { requestTimeout = USUAL_LIMITS.timeoutMs, maxBytes = USUAL_LIMITS.maxBytes, reader } = asking;
    const signal = asking.signal ? AbortSignal.any([this.signal, asking.signal]) : this.signal;
    if (reader) return readStore(this.outgoing, url, headers, signal, reader);
    const request = {
      method,
      headers,
      ...(typeof body === 'string' && body !== '' ? { body } : {}),
    };
    return askStore(this.outgoing, url, request, signal, { timeoutMs: requestTimeout, maxBytes });
  }

  updateHttpClientConfig(): void {}

  httpHandlerConfigs(): Record<string, never> {
    return {};
  }
}
