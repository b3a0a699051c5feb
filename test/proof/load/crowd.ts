import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Installation } from '../../support/installation.js';

/** One request of a client's. */
export interface Ask {
  path: string;
  body: object;
  token: string;
}

/** What the client heard: every byte that came, be it half an answer. */
export interface Heard {
  /** Null: the connection ended before there was one, or there was none. */
  status: number | null;
  headers: http.IncomingHttpHeaders;
  text: string;
  isWhole: boolean;
  /** Whether it could not even connect: then nothing was asked. */
  isRefused: boolean;
}

interface Options<Asked extends Ask> {
  /** How many ask at once, each again as soon as it has heard. */
  lanes: number;
  /** Of the API, at the moment of asking. */
  to: () => string;
  next: (n: number) => Asked;
  hear: (heard: Heard, ask: Asked) => void;
}

/** Clients that go on asking, on connections that they keep, whatever they hear. */
export class Crowd<Asked extends Ask = Ask> {
  readonly #counts = new Map<number | null, number>();
  readonly #agent = new http.Agent({ keepAlive: true });
  #isOver = false;
  #isResting = false;
  #asked = 0;
  #answered = 0;
  readonly #lanes: Promise<void>[];

  constructor(private readonly options: Options<Asked>) {
    this.#lanes = Array.from({ length: options.lanes }, () => this.#lane());
  }

  /** How many heard this status; null: how many heard none. */
  count(status: number | null): number {
    return this.#counts.get(status) ?? 0;
  }

  get answered(): number {
    return this.#answered;
  }

  /** Until so many more have heard this, or `patience` have heard anything. */
  async hears(more: number, status: number, patience = Infinity): Promise<void> {
    const enough = this.count(status) + more;
    const last = this.#answered + patience;
    while (this.count(status) < enough && this.#answered < last) await this.#moment();
  }

  /** Whoever has been answered asks nothing while this is under way. */
  async restDuring<T>(work: () => Promise<T>): Promise<T> {
    this.#isResting = true;
    try {
      return await work();
    } finally {
      this.#isResting = false;
    }
  }

  /** Until each of those who ask now has been answered, and has asked again and been answered. */
  async turnsOver(): Promise<void> {
    const enough = this.#answered + 2 * this.options.lanes;
    while (this.#answered < enough) await this.#moment();
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#lanes);
    this.#agent.destroy();
  }

  async #moment(): Promise<void> {
    if (this.#isOver) throw new Error('the crowd has stopped');
    await sleep(5);
  }

  async #lane(): Promise<void> {
    while (!this.#isOver) {
      if (this.#isResting) {
        await sleep(5);
        continue;
      }
      const ask = this.options.next(this.#asked++);
      const heard = await send(this.options.to(), ask, this.#agent);
      this.#answered++;
      this.#counts.set(heard.status, this.count(heard.status) + 1);
      this.options.hear(heard, ask);
      if (heard.status === null || heard.status >= 500) await sleep(25);
    }
  }
}

/** Of an API in this process. */
export function addressOf({ app }: Installation): string {
  const address = app.getHttpServer().address() as AddressInfo;
  return `http://127.0.0.1:${address.port}`;
}

/** One request, and all that came back of it; it never fails. */
export function send(api: string, { path, body, token }: Ask, agent?: http.Agent): Promise<Heard> {
  const content = JSON.stringify(body);
  const headers = {
    authorization: `Bearer ${token}`,
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(content),
  };
  return new Promise((resolve) => {
    const request = http.request(`${api}${path}`, { method: 'POST', headers, ...(agent && { agent }) });
    request.on('error', ({ code }: NodeJS.ErrnoException) =>
      resolve({ status: null, headers: {}, text: '', isWhole: false, isRefused: code === 'ECONNREFUSED' }),
    );
    request.on('response', (response) => {
      const chunks: Buffer[] = [];
      const { statusCode: status = null, headers } = response;
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', () => undefined);
      response.on('close', () =>
        resolve({
          status,
          headers,
          text: Buffer.concat(chunks).toString(),
          isWhole: response.complete,
          isRefused: false,
        }),
      );
    });
    request.end(content);
  });
}
