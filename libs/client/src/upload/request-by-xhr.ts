import type { StoreAnswer, StoreRequest } from './store-request.js';

/** A network that swallows packets says nothing: so long without a byte that moves is a lost connection. */
const STALLED_MS = 60_000;

/** A request that tells how much of its body has been sent. */
export function requestByXhr(Xhr: XhrClass, request: StoreRequest): Promise<StoreAnswer> {
  const { method, url, headers, body, signal, onSent } = request;
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const xhr = new Xhr();
    const startedAt = performance.now();
    // It counts from the start, and may be moved while the request is under way.
    const moved = (): void => void (xhr.timeout = performance.now() - startedAt + STALLED_MS);
    const stop = (): void => xhr.abort();
    signal?.addEventListener('abort', stop, { once: true });

    xhr.upload.addEventListener('progress', ({ loaded }) => {
      moved();
      onSent(loaded);
    });
    xhr.addEventListener('load', () => resolve(answerOf(xhr)));
    xhr.addEventListener('error', () =>
      reject(new TypeError('The connection was lost, or the page may not see the answer.')),
    );
    xhr.addEventListener('timeout', () => reject(new TypeError('The connection stalled.')));
    xhr.addEventListener('abort', () => reject(signal?.reason as Error));
    xhr.addEventListener('loadend', () => signal?.removeEventListener('abort', stop));

    xhr.open(method, url);
    for (const [name, value] of Object.entries(headers)) xhr.setRequestHeader(name, value);
    moved();
    xhr.send(body);
  });
}

function answerOf(xhr: Xhr): StoreAnswer {
  // To ask for a header by name that CORS hides would print an error in the console.
  const header = (name: string): string | null =>
    new RegExp(`^${name}: *(.*?)\\r?$`, 'im').exec(xhr.getAllResponseHeaders())?.[1] ?? null;
  return { status: xhr.status, body: xhr.responseText, etag: header('etag'), retryAfter: header('retry-after') };
}

export type XhrClass = new () => Xhr;

/** What we use of XMLHttpRequest: this package type-checks without the DOM's types too. */
interface Xhr {
  open(method: string, url: string): void;
  setRequestHeader(name: string, value: string): void;
  send(body: Blob | FormData): void;
  abort(): void;
  getAllResponseHeaders(): string;
  timeout: number;
  readonly status: number;
  readonly responseText: string;
  readonly upload: { addEventListener(type: 'progress', listener: (event: { loaded: number }) => void): void };
  addEventListener(type: 'load' | 'error' | 'timeout' | 'abort' | 'loadend', listener: () => void): void;
}
