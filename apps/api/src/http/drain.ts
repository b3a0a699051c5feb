import http from 'node:http';
import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** How long a connection that nobody uses may still be used: a client that keeps it may have asked something just now. */
const LINGER_MS = 1_000;

const POLL_MS = 20;

/**
 * Ends a server's listening so that no request is lost: nobody can connect any more, whoever is connected is answered as ever, and told by
 * `Connection: close` (RFC 9112 §9.6) to go elsewhere. It is done when all have gone, or when nobody has asked anything for a while.
 *
 * Node's own `close()` begins with the connections on which nothing is under way, also those on which a request has been sent and not been read
 * yet: under load that is one in many, and its client cannot tell whether it was done.
 */
export async function drain(server: http.Server): Promise<void> {
  let askedAt = performance.now();
  server.prependListener('request', (_, response: http.ServerResponse) => {
    askedAt = performance.now();
    response.setHeader('connection', 'close');
  });
  // What http.Server's adds to this is to end the connections on which nothing is under way.
  net.Server.prototype.close.call(server);
  while ((await connectionsOf(server)) > 0 && performance.now() - askedAt < LINGER_MS) await sleep(POLL_MS);
}

function connectionsOf(server: http.Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.getConnections((error, count) => (error ? reject(error) : resolve(count)));
  });
}
