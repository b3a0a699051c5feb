import type { StoreAnswer, StoreRequest } from './store-request.js';

export async function requestByFetch({ method, url, headers, body, signal }: StoreRequest): Promise<StoreAnswer> {
  const response = await fetch(url, { method, headers, body, signal: signal ?? null, credentials: 'omit' });
  return {
    status: response.status,
    body: await response.text(),
    etag: response.headers.get('etag'),
    retryAfter: response.headers.get('retry-after'),
  };
}
