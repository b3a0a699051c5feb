import { setTimeout as sleep } from 'node:timers/promises';

export interface Polled {
  /** When it was asked, and when the answer was here: by our clock, in milliseconds. */
  askedAt: number;
  answeredAt: number;
  /** Status and code, as in `403 InvalidAccessKeyId`. */
  answer: string;
}

/** Asks again and again, independently of whatever else goes on, and keeps every answer. */
export class Poller {
  readonly seen: Polled[] = [];
  #isOver = false;
  readonly #polling: Promise<void>;

  constructor(ask: () => Promise<string>) {
    this.#polling = this.#poll(ask);
  }

  /** Of a URL that the store serves. */
  static ofUrl(url: string): Poller {
    return new Poller(async () => {
      const response = await fetch(url);
      const text = await response.text();
      return `${response.status} ${/<Code>(\w+)<\/Code>/.exec(text)?.[1] ?? ''}`.trim();
    });
  }

  async stop(): Promise<Polled[]> {
    this.#isOver = true;
    await this.#polling;
    return this.seen;
  }

  async #poll(ask: () => Promise<string>): Promise<void> {
    while (!this.#isOver) {
      const askedAt = Date.now();
      const answer = await ask().catch(String);
      this.seen.push({ askedAt, answeredAt: Date.now(), answer });
      await sleep(5);
    }
  }
}
