import type { Server } from 'node:http';
import type { Socket } from 'node:net';

/** Of one connection, when last seen. */
interface Seen {
  unsentBytes: number;
  since: number;
}

/**
 * Ends connections whose client takes nothing of what it is sent. Attack: answers asked for and never read, held here until the memory is full. A
 * timeout of Node's would do for one that is silent, but not for one that sends a blank line now and then.
 */
export function endUnreadAnswers(server: Server, { afterMs, everyMs } = { afterMs: 60_000, everyMs: 2_000 }): void {
  const sockets = new Map<Socket, Seen>();
  server.on('connection', (socket: Socket) => {
    sockets.set(socket, { unsentBytes: 0, since: 0 });
    socket.once('close', () => sockets.delete(socket));
  });
  const timer = setInterval(() => {
    const now = performance.now();
    for (const [socket, seen] of sockets) {
      const unsentBytes = socket.writableLength;
      // Fewer: something was taken. More: it was given more, and has taken nothing.
      if (unsentBytes === 0 || unsentBytes < seen.unsentBytes || seen.unsentBytes === 0) seen.since = now;
      seen.unsentBytes = unsentBytes;
      if (unsentBytes > 0 && now - seen.since >= afterMs) socket.destroy();
    }
  }, everyMs).unref();
  server.once('close', () => clearInterval(timer));
}
