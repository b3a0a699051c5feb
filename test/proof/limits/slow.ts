import { connect, type Socket } from 'node:net';
import { closing } from './raw.js';

/** A client that is slow in its own way, until somebody ends it. */
export interface SlowClient {
  /** How long its connection lived, once it is over. */
  closed: Promise<number>;
  isOpen(): boolean;
  /** What it was answered, as far as it has read. */
  answer(): string;
  /** When it has sent its first bytes, or been refused. */
  begun: Promise<void>;
  destroy(): void;
}

/** Says `first`, then one byte of `rest` a second, as often as there are any; and reads nothing where `isDeaf`. */
export function slowClient(port: number, first: string, rest = '', { isDeaf = false } = {}): SlowClient {
  const socket: Socket = connect({ port, host: '127.0.0.1' });
  let answer = '';
  let at = 0;
  let isBegun = false;
  // Where it is cut off, what it still sends is refused.
  socket.on('error', () => undefined);
  if (!isDeaf) socket.on('data', (piece: Buffer) => (answer += answer.length < 10_000 ? piece.toString() : ''));
  const startedAt = performance.now();
  const timer = setInterval(() => {
    if (isBegun && at < rest.length && socket.writable) socket.write(rest.charAt(at++));
  }, 1_000);
  const closed = closing(socket).then(() => {
    clearInterval(timer);
    return performance.now() - startedAt;
  });
  const sent = new Promise<void>((resolve) => {
    socket.on('connect', () => (first === '' ? resolve() : socket.write(first, () => resolve())));
  }).then(() => void (isBegun = true));
  return {
    closed,
    isOpen: () => !socket.destroyed,
    answer: () => answer,
    begun: Promise.race([sent, closed.then(() => undefined)]),
    destroy: () => void socket.destroy(),
  };
}

/** So many of a kind, all of which have begun. */
export async function crowd(count: number, make: () => SlowClient): Promise<SlowClient[]> {
  const clients = Array.from({ length: count }, make);
  await Promise.all(clients.map(({ begun }) => begun));
  return clients;
}
