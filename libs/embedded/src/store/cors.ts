import type { IncomingMessage, ServerResponse } from 'node:http';
import { S3Error } from './s3-error.js';

const METHODS = ['GET', 'HEAD', 'PUT'];
const HEADERS =
  /^(content-(type|md5|length|disposition|encoding|language)|cache-control|if-none-match|range|x-amz-[a-z0-9-]+)$/;
const EXPOSED = 'ETag, Content-Range, x-amz-request-id';

/** Answers the browser's question whether pages of an origin may use a bucket. */
export class Cors {
  readonly #origins: Map<string, string[]>;

  constructor(buckets: { name: string; corsOrigins: string[] }[]) {
    this.#origins = new Map(buckets.map(({ name, corsOrigins }) => [name, corsOrigins]));
  }

  /** Lets the page read the answer, be it a refusal: otherwise it would see a network error and no code. */
  allowReading(request: IncomingMessage, response: ServerResponse, bucket: string | undefined): void {
    const origin = request.headers.origin;
    response.setHeader('Vary', 'Origin, Access-Control-Request-Method, Access-Control-Request-Headers');
    if (!this.#isAllowed(bucket, origin)) return;
    response.setHeader('Access-Control-Allow-Origin', origin);
    response.setHeader('Access-Control-Expose-Headers', EXPOSED);
  }

  /** The only request without a signature; it reads and changes nothing. */
  answerPreflight(request: IncomingMessage, response: ServerResponse, bucket: string | undefined): void {
    const { origin, 'access-control-request-method': method, 'access-control-request-headers': list } = request.headers;
    const headers = (list ?? '').split(',').map((name) => name.trim().toLowerCase());
    const areHeadersAllowed = headers.every((name) => name === '' || HEADERS.test(name));
    if (!this.#isAllowed(bucket, origin) || !METHODS.includes(method ?? '') || !areHeadersAllowed) {
      throw new S3Error('AccessForbidden', 'CORSResponse: This CORS request is not allowed.');
    }
    response.setHeader('Access-Control-Allow-Methods', METHODS.join(', '));
    if (list) response.setHeader('Access-Control-Allow-Headers', headers.filter(Boolean).join(', '));
    response.setHeader('Access-Control-Max-Age', '300');
    response.writeHead(200, { 'Content-Length': 0 }).end();
  }

  #isAllowed(bucket: string | undefined, origin: string | undefined): origin is string {
    const allowed = this.#origins.get(bucket ?? '') ?? [];
    return origin !== undefined && (allowed.includes(origin) || allowed.includes('*'));
  }
}
