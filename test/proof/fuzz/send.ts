import http from 'node:http';

export interface Wire {
  method: string;
  path: string;
  /** As they are sent: one name can be there twice. */
  headers: readonly (readonly [name: string, value: string])[];
  body: Buffer | null;
}

export interface Reply {
  status: number;
  headers: http.IncomingHttpHeaders;
  text: string;
}

/** Sends what no friendly client would: nothing is repaired, added or left out but for what HTTP itself needs. */
export class Sender {
  readonly #agent = new http.Agent({ keepAlive: true, maxSockets: 4 });

  constructor(private readonly port: number) {}

  send(wire: Wire, isAgain = false): Promise<Reply> {
    const { method, path, headers, body } = wire;
    const length = body === null ? [] : ['Content-Length', String(body.length)];
    const lines = ['Host', `127.0.0.1:${this.port}`, ...headers.flat(), ...length];
    const options = { host: '127.0.0.1', port: this.port, agent: this.#agent, timeout: 20_000, method, path };
    return new Promise((resolve, reject) => {
      const request = http.request({ ...options, headers: lines }, (response) => {
        const { statusCode = 0, headers } = response;
        const pieces: Buffer[] = [];
        response.on('data', (piece: Buffer) => pieces.push(piece)).on('error', reject);
        response.on('end', () => resolve({ status: statusCode, headers, text: Buffer.concat(pieces).toString() }));
      });
      request.on('timeout', () => request.destroy(new Error('no answer for 20 seconds')));
      request.on('error', (error: NodeJS.ErrnoException) => {
        // The server ended a connection that was idle, at the moment that it was used again.
        if (request.reusedSocket && error.code === 'ECONNRESET' && !isAgain) resolve(this.send(wire, true));
        else reject(error);
      });
      request.end(body ?? undefined);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}
