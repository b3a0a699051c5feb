import http from 'node:http';
import type { Socket } from 'node:net';
import { AccessKeys } from './access-keys.js';
import { Cors } from './cors.js';
import { Guard } from './guard.js';
import type { StoreConfig } from './messages.js';
import { ObjectStore } from './object-store.js';
import { S3rverBackend } from './s3rver-backend.js';

export interface StoreServer {
  /** Lets requests in flight finish. */
  close(): Promise<void>;
}

/** Serves the store on 127.0.0.1, in this process. */
export async function serveStore(config: StoreConfig, log: (line: string) => void): Promise<StoreServer> {
  let open: (guard: Guard) => void = () => undefined;
  const opened = new Promise<Guard>((resolve) => (open = resolve));
  // The default ends a request after five minutes, and with it the upload of a large object.
  const server = http.createServer({ requestTimeout: 3_600_000 }, (request, response) => {
    void opened.then((guard) => guard.answer(request, response));
  });
  server.on('clientError', refuseUnreadable);

  // First the port, then the directory: a second store on the same port must not touch what the first has staged, nor read its keys too early.
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port: config.port, host: '127.0.0.1', exclusive: true }, resolve);
  });
  open(await openGuard(config, log));
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeIdleConnections();
      }),
  };
}

async function openGuard(config: StoreConfig, log: (line: string) => void): Promise<Guard> {
  const store = new ObjectStore(config.dir);
  await store.open(config.buckets.map(({ name }) => name));
  return new Guard({
    store,
    backend: new S3rverBackend(config.dir, store),
    cors: new Cors(config.buckets),
    region: config.region,
    keys: await AccessKeys.open(config.dir, config.accessKeys),
    admin: config.admin,
    log,
  });
}

/** What is not HTTP, or has headers without end, has no request that the guard could answer. */
function refuseUnreadable(_error: Error, socket: Socket): void {
  if (!socket.writable) return;
  const xml = '<Error><Code>BadRequest</Code><Message>The request could not be read.</Message></Error>';
  socket.end(
    `HTTP/1.1 400 Bad Request\r\nContent-Type: application/xml\r\nContent-Length: ${xml.length}\r\nConnection: close\r\n\r\n${xml}`,
  );
}
