import { requestByFetch } from './request-by-fetch.js';
import { requestByXhr, type XhrClass } from './request-by-xhr.js';
import { StoreError } from './store-error.js';
import type { StoreRequest } from './store-request.js';

/**
 * Sends a body to the store, and gives the ETag, which is null where the bucket's CORS rules do not let the page see it.
 * @throws StoreError, or a TypeError where no answer came.
 */
export async function sendToStore(request: StoreRequest): Promise<string | null> {
  // `fetch` does not tell how much has been sent; Node and service workers have nothing else.
  const { XMLHttpRequest: Xhr } = globalThis as { XMLHttpRequest?: XhrClass };
  const answer = await (Xhr ? requestByXhr(Xhr, request) : requestByFetch(request));
  if (answer.status >= 200 && answer.status < 300) return answer.etag;
  const code = /<Code>(\w+)<\/Code>/.exec(answer.body)?.[1] ?? null;
  throw new StoreError(answer.status, code, /^\d+$/.test(answer.retryAfter ?? '') ? Number(answer.retryAfter) : null);
}
