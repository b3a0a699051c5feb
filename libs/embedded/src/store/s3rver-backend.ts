import type { IncomingMessage, ServerResponse } from 'node:http';
import S3rver from '@20minutes/s3rver';
import account from '@20minutes/s3rver/lib/models/account.js';
import type { Exchange } from './exchange.js';
import type { ObjectStore } from './object-store.js';

/**
 * s3rver without its own, broken verification: it listens nowhere, so that only the guard can call it, and believes
 * every call. It reads, lists and removes; bodies never reach it.
 */
export class S3rverBackend {
  readonly #answer: (request: IncomingMessage, response: ServerResponse) => Promise<void>;

  constructor(dir: string, store: ObjectStore) {
    const app = new TrustingS3rver({ directory: dir, silent: true, vhostBuckets: false });
    app.store = app.context.store = store;
    this.#answer = app.callback();
  }

  /** Gives s3rver a request of only what the guard has checked: what it does not see it cannot misread. */
  async answer({ request, response, target }: Exchange, headers: Record<string, string> = {}): Promise<void> {
    const query = new URLSearchParams([...target.query].filter(([name]) => isForS3rver(name)));
    request.url = `${target.path.replace(/\/$/, '') || '/'}?${query.toString()}`;
    request.headers = { host: 'localhost', ...headers };
    await this.#answer(request, response);
  }
}

class TrustingS3rver extends S3rver {
  override createContext(request: IncomingMessage, response: ServerResponse): { state: { account?: unknown } } {
    const context = super.createContext(request, response);
    context.state.account = account.DUMMY_ACCOUNT;
    return context;
  }
}

/** s3rver takes x-amz-* parameters for headers, and those of the signature for one to verify. */
function isForS3rver(name: string): boolean {
  return name !== 'x-id' && !name.toLowerCase().startsWith('x-amz-');
}
