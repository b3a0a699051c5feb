import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { Objects } from '@countersign/objects';
import { OUTGOING } from '../support/outgoing.js';

type Answering = (request: http.IncomingMessage, response: http.ServerResponse) => void;

/** A store that answers as a test says, be it as no store should. */
export class StandInStore {
  /** What was asked, in order: the method and the address, and each request's headers. */
  readonly asked: { line: string; headers: http.IncomingHttpHeaders }[] = [];
  answer: Answering = (_, response) => response.writeHead(200).end();

  readonly #ends = new AbortController();
  readonly #server = http.createServer((request, response) => {
    this.asked.push({ line: `${request.method} ${request.url}`, headers: request.headers });
    request.resume();
    this.answer(request, response);
  });

  static async start(): Promise<StandInStore> {
    const store = new StandInStore();
    await new Promise<void>((resolve) => store.#server.listen(0, '127.0.0.1', resolve));
    return store;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get objects(): Objects {
    const at = { endpoint: this.endpoint, region: 'us-east-1', bucket: 'bucket', forcePathStyle: true };
    const credential = { accessKeyId: 'AKIAEXAMPLE', secretAccessKey: 'the secret', sessionToken: 'the token' };
    return new Objects(OUTGOING, at, credential, this.#ends.signal);
  }

  /** Ends what is under way, as the end of the process that asks would. */
  abort(): void {
    this.#ends.abort();
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** An error as S3 says it. */
export const errorOf = (code: string): string =>
  `<?xml version="1.0"?>\n<Error><Code>${code}</Code><Message>No.</Message></Error>`;
