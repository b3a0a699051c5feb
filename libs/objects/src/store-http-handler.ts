import { HttpRequest, HttpResponse } from '@smithy/protocol-http';
import { askStore } from './ask-store.js';

/** Its message says why, in words of ours. */
export class NoAnswer extends Error {}

/** How the SDK reaches the store: with our limits of time and size, and without following redirects. */
export class StoreHttpHandler {
  readonly metadata = { handlerProtocol: 'http/1.1' };

  constructor(private readonly signal: AbortSignal) {}

  async handle({ protocol, hostname, port, path, query, method, headers, body }: HttpRequest): Promise<{
    response: HttpResponse;
  }> {
    const search = Object.entries(query).map(([name, value]) =>
      [name, String(value ?? '')].map(encodeURIComponent).join('='),
    );
    const url = `${protocol}//${hostname}${port === undefined ? '' : `:${port}`}${path}?${search.join('&')}`;
    const answer = await askStore(
      url,
      { method, headers: withoutFetchs(headers), ...(typeof body === 'string' && body !== '' ? { body } : {}) },
      this.signal,
    );
    if (!answer.isAnswered) throw new NoAnswer(answer.why);
    const { status: statusCode, headers: answered, body: whole } = answer;
    return { response: new HttpResponse({ statusCode, headers: Object.fromEntries(answered), body: whole }) };
  }

  updateHttpClientConfig(): void {}

  httpHandlerConfigs(): Record<string, never> {
    return {};
  }
}

/** What fetch sets by itself. */
function withoutFetchs(headers: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !/^(?:host|content-length)$/i.test(name)));
}
