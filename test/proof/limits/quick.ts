import http from 'node:http';

/** A client that keeps its one connection and asks for a URL again and again, from when it is told to until it is told to stop. */
export class QuickClient {
  /** Of each answer; where there was none, what happened instead. */
  readonly statuses: (number | string)[] = [];
  readonly #agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  readonly #ports = new Set<number>();
  #isOver = false;
  #ran: Promise<void> = Promise.resolve();

  constructor(
    private readonly url: string,
    private readonly token: string,
  ) {}

  /** How many connections it has needed. */
  get connections(): number {
    return this.#ports.size;
  }

  start(): void {
    this.#ran = this.#run();
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await this.#ran;
    this.#agent.destroy();
  }

  /** Once, and the status of the answer. */
  ask(): Promise<number> {
    const body = JSON.stringify({ bucket: 'files', key: 'a' });
    const headers = { authorization: `Bearer ${this.token}`, 'content-type': 'application/json' };
    return new Promise((resolve, reject) => {
      const options = { method: 'POST', agent: this.#agent, headers };
      const asked = http.request(`${this.url}/download-url`, options, (response) => {
        this.#ports.add(response.socket.localPort ?? 0);
        response.resume().on('end', () => resolve(response.statusCode ?? 0));
      });
      asked.on('error', reject).end(body);
    });
  }

  async #run(): Promise<void> {
    while (!this.#isOver) {
      this.statuses.push(await this.ask().catch((error: Error) => error.message));
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}
