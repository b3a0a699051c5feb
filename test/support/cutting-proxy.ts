import { once } from 'node:events';
import net, { type AddressInfo } from 'node:net';

const MIB = 1024 * 1024;

/**
 * A TCP proxy before a store, which can lose connections. A bucket that has it as its `publicEndpoint` gets URLs for it; the bytes go
 * through unchanged, so signatures hold.
 */
export class CuttingProxy {
  /** How many bytes clients have sent, whatever became of them. */
  sentBytes = 0;
  /** How many connections were cut. */
  cuts = 0;
  #pending: number[] = [];
  #losesAnswer = false;
  readonly #sockets = new Set<net.Socket>();

  private constructor(
    readonly endpoint: string,
    private readonly server: net.Server,
  ) {}

  static async before(storeEndpoint: string): Promise<CuttingProxy> {
    const { hostname, port } = new URL(storeEndpoint);
    const server = net.createServer((client) => proxy.#join(client, net.connect(Number(port), hostname)));
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const proxy = new CuttingProxy(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, server);
    return proxy;
  }

  /** Loses the next connection on which a client sends more than so many bytes; said again, one more. */
  cutAfter(bytes: number): void {
    this.#pending.push(bytes);
  }

  /** Loses the next answer to more than a mebibyte: the store has all of it, and the client hears nothing. */
  loseAnswer(): void {
    this.#losesAnswer = true;
  }

  /** Loses no more of them. */
  heal(): void {
    this.#pending = [];
    this.#losesAnswer = false;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.server.close();
    await once(this.server, 'close');
  }

  #join(client: net.Socket, store: net.Socket): void {
    let onThisOne = 0;
    let sinceAnswer = 0;
    const end = (): void => {
      for (const socket of [client, store]) {
        socket.destroy();
        this.#sockets.delete(socket);
      }
    };
    const cut = (): void => {
      this.cuts += 1;
      client.resetAndDestroy();
      end();
    };
    for (const socket of [client, store]) {
      this.#sockets.add(socket);
      socket.on('error', end).on('close', end);
    }
    client.on('data', (chunk) => {
      this.sentBytes += chunk.length;
      onThisOne += chunk.length;
      sinceAnswer += chunk.length;
      const limit = this.#pending[0];
      if (limit === undefined || onThisOne <= limit) return;
      this.#pending.shift();
      cut();
    });
    client.pipe(store);
    store.on('data', () => {
      const isLost = this.#losesAnswer && sinceAnswer > MIB;
      sinceAnswer = 0;
      if (!isLost) return;
      this.#losesAnswer = false;
      cut();
    });
    store.pipe(client);
  }
}
