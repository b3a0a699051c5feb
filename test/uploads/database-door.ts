import { once } from 'node:events';
import net, { type AddressInfo } from 'node:net';
import type { Door, Doorkeeper } from './store-door.js';

/**
 * A way to a PostgreSQL, of which every commit is heard that writes about uploads: before it gets there, and before its answer gets back
 * (PostgreSQL, "Frontend/Backend Protocol"). All else passes.
 */
export async function openDatabaseDoor(databaseUrl: string, keeper: Doorkeeper): Promise<Door> {
  const { hostname, port } = new URL(databaseUrl);
  const sockets = new Set<net.Socket>();
  const server = net.createServer((client) => {
    const database = net.connect(Number(port), hostname);
    const end = () => {
      for (const socket of [client, database]) socket.destroy();
    };
    for (const socket of [client, database]) {
      sockets.add(socket.setNoDelay());
      socket.on('error', end).on('close', () => {
        sockets.delete(socket);
        end();
      });
    }
    new Conversation(client, database, keeper).start(end);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/** What one connection says. A client sends nothing more before the database is ready again. */
class Conversation {
  readonly #statements = new Map<string, string>();
  /** What the statement under way would write about, and what the transaction has. */
  #writes: string[] = [];
  #written: string[] = [];
  #isInTransaction = false;
  /** The commit whose answer is held back. */
  #commit: string | null = null;

  constructor(
    private readonly client: net.Socket,
    private readonly database: net.Socket,
    private readonly keeper: Doorkeeper,
  ) {}

  start(end: () => void): void {
    void this.#ask()
      .catch(() => undefined)
      .finally(end);
    void this.#answer()
      .catch(() => undefined)
      .finally(end);
  }

  async #ask(): Promise<void> {
    let rest: Buffer = Buffer.alloc(0);
    let hasStarted = false;
    let unit: Buffer[] = [];
    let texts: string[] = [];
    for await (const chunk of this.client as AsyncIterable<Buffer>) {
      rest = Buffer.concat([rest, chunk]);
      // The first message alone has no type.
      for (let size; (size = sizeOf(rest, hasStarted ? 1 : 0)) > 0; rest = rest.subarray(size)) {
        const message = rest.subarray(0, size);
        unit.push(message);
        if (hasStarted) texts.push(...this.#textOf(message));
        const isLast = !hasStarted || !'PBDEC'.includes(String.fromCharCode(message[0] ?? 0));
        hasStarted = true;
        if (!isLast) continue;
        if (!(await this.#passesOn(texts))) return;
        this.database.write(Buffer.concat(unit));
        [unit, texts] = [[], []];
      }
    }
  }

  /** The SQL that a message runs: of Query and Bind; of Parse it is only kept. */
  #textOf(message: Buffer): string[] {
    const type = String.fromCharCode(message[0] ?? 0);
    const [first = '', second = ''] = message.subarray(5).toString('latin1').split('\0', 2);
    if (type === 'Q') return [first];
    if (type === 'P') this.#statements.set(first, second);
    return type === 'B' ? [this.#statements.get(second) ?? ''] : [];
  }

  /** Whether these statements may go on to the database. */
  async #passesOn(texts: string[]): Promise<boolean> {
    this.#writes = texts.flatMap(writesOf);
    if (texts.some((text) => /^\s*ROLLBACK/i.test(text))) this.#written = [];
    const isCommit = this.#isInTransaction ? texts.some((text) => /^\s*COMMIT/i.test(text)) : !texts.some(isBegin);
    if (!isCommit) return true;
    // A statement by itself is its own commit; in a transaction we know by now what was changed.
    const written = [...new Set(this.#isInTransaction ? this.#written : this.#writes)].join(', ');
    this.#written = [];
    if (written === '') return true;
    this.#commit = `commit of ${written}`;
    return this.keeper({ what: this.#commit, when: 'before' });
  }

  async #answer(): Promise<void> {
    let rest: Buffer = Buffer.alloc(0);
    let held: Buffer[] = [];
    const passOn = () => {
      this.client.write(Buffer.concat(held));
      held = [];
    };
    for await (const chunk of this.database as AsyncIterable<Buffer>) {
      rest = Buffer.concat([rest, chunk]);
      for (let size; (size = sizeOf(rest, 1)) > 0; rest = rest.subarray(size)) {
        held.push(rest.subarray(0, size));
        if (rest[0] === 'C'.charCodeAt(0) && changesSomething(rest.subarray(5, size)))
          this.#written.push(...this.#writes);
        // ReadyForQuery, with the transaction's state.
        if (rest[0] !== 'Z'.charCodeAt(0)) continue;
        this.#isInTransaction = rest[5] !== 'I'.charCodeAt(0);
        const commit = this.#commit;
        this.#commit = null;
        if (commit !== null && !(await this.keeper({ what: commit, when: 'after' }))) return;
        passOn();
      }
      if (this.#commit === null) passOn();
    }
  }
}

/** Of the message that the buffer begins with; 0 where it is not all there. */
function sizeOf(buffer: Buffer, typeBytes: number): number {
  if (buffer.length < typeBytes + 4) return 0;
  const size = typeBytes + buffer.readInt32BE(typeBytes);
  return buffer.length < size ? 0 : size;
}

/** CommandComplete says how many rows: of an INSERT behind a number that stands for nothing. */
const changesSomething = (tag: Buffer): boolean => /^(UPDATE|DELETE|INSERT 0) [1-9]/.test(tag.toString('latin1'));

const isBegin = (text: string): boolean => /^\s*(BEGIN|START)/i.test(text);

/** The tables of ours that a statement writes to, as far as uploads are concerned. */
function writesOf(text: string): string[] {
  if (/append_to_ledger|append_once/.test(text)) return ['append'];
  const [, verb = '', table = ''] =
    /\b(UPDATE|INSERT INTO|DELETE FROM)\s+(?:"?public"?\.)?"?(uploads|ledger)"?/i.exec(text) ?? [];
  return verb === '' ? [] : [`${verb.split(' ')[0]?.toLowerCase()} ${table}`];
}
