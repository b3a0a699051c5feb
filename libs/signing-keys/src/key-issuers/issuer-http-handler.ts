import type { Outgoing } from '@countersign/outgoing';
import { HttpRequest, HttpResponse } from '@smithy/protocol-http';
import { issuerFetch } from './issuer-fetch.js';

/** How the SDK reaches IAM: with our limit of size, the caller's of time, and without following redirects. */
export class IssuerHttpHandler {
  readonly metadata = { handlerProtocol: 'http/1.1' };

  constructor(private readonly outgoing: Outgoing) {}

  async handle(
    request: HttpRequest,
    { abortSignal }: { abortSignal?: unknown } = {},
  ): Promise<{ response: HttpResponse }> {
    const { protocol, hostname, port, path, method, headers } = request;
    const url = new URL(`${protocol}//${hostname}${port === undefined ? '' : `:${port}`}${path}`);
    // The AWS Query protocol has its parameters in the body.
    const body = request.body as string | undefined;
    const answer = await issuerFetch(this.outgoing, url, { method, headers, body }, abortSignal as AbortSignal);
    return { response: new HttpResponse({ statusCode: answer.status, headers: answer.headers, body: answer.body }) };
  }

  updateHttpClientConfig(): void {}

  httpHandlerConfigs(): Record<string, never> {
    return {};
  }
}
