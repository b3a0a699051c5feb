import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';

/** A moment between the API and what it talks to: a request that has not got there yet, or an answer that has not come back yet. */
export interface Step {
  what: string;
  when: 'before' | 'after';
}

/** Hears of every step; whoever asked gets no further until it is done, and not at all where it gives false. */
export type Doorkeeper = (step: Step) => Promise<boolean>;

export interface Door {
  /** In place of the real one. */
  address: string;
  close(): Promise<void>;
}

/** A way to a store, of which every request is heard. Signatures go by the Host header, which stays as it is. */
export async function openStoreDoor(store: string, keeper: Doorkeeper): Promise<Door> {
  const { hostname, port } = new URL(store);
  const server = http.createServer((request, response) => {
    void pass().catch(() => response.destroy());

    async function pass(): Promise<void> {
      const what = operationOf(request);
      const body = await readWhole(request);
      if (!(await keeper({ what, when: 'before' }))) return void response.destroy();
      const answer = await ask(request, body);
      if (!(await keeper({ what, when: 'after' }))) return void response.destroy();
      response.writeHead(answer.status, answer.headers);
      response.end(answer.body);
    }
  });

  async function ask({ method, url, rawHeaders }: http.IncomingMessage, body: Buffer) {
    const forwarded = http.request({ hostname, port, method, path: url, headers: rawHeaders, agent: false });
    forwarded.end(body);
    const [answered] = (await once(forwarded, 'response')) as [http.IncomingMessage];
    return { status: answered.statusCode ?? 0, headers: answered.rawHeaders, body: await readWhole(answered) };
  }

  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** What S3 calls it (Amazon S3 API Reference, "Actions"). */
function operationOf({ method = '', url = '' }: http.IncomingMessage): string {
  const { searchParams } = new URL(url, 'http://store');
  const isOf = (name: string) => searchParams.has(name);
  if (isOf('uploads')) return method === 'POST' ? 'CreateMultipartUpload' : 'ListMultipartUploads';
  if (!isOf('uploadId')) return `${method[0]}${method.slice(1).toLowerCase()}Object`;
  return { GET: 'ListParts', POST: 'CompleteMultipartUpload', DELETE: 'AbortMultipartUpload' }[method] ?? method;
}

async function readWhole(message: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk);
  return Buffer.concat(chunks);
}
