import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** An identity provider's JWKS endpoint on this machine, that counts how often it is asked and does what the test says. */
export interface JwksServer {
  uri: string;
  requests: number;
  /** What it answers; by default the keys, as JSON. */
  answer: (request: IncomingMessage, response: ServerResponse) => void;
  keys: object[];
  stop(): Promise<void>;
  /** On the same port again. */
  start(): Promise<void>;
}

export async function startJwksServer(keys: object[]): Promise<JwksServer> {
  let port = 0;
  const listener = (request: IncomingMessage, response: ServerResponse) => {
    jwks.requests++;
    jwks.answer(request, response);
  };
  let server = createServer(listener);
  const jwks: JwksServer = {
    uri: '',
    requests: 0,
    keys,
    answer: (_request, response) => {
      response.setHeader('content-type', 'application/json').end(JSON.stringify({ keys: jwks.keys }));
    },
    stop: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
    start: async () => {
      server = createServer(listener).listen(port, '127.0.0.1');
      await once(server, 'listening');
      port = (server.address() as AddressInfo).port;
      jwks.uri = `http://127.0.0.1:${port}/jwks.json`;
    },
  };
  await jwks.start();
  return jwks;
}
