import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';

export interface PageServer {
  origin: string;
  stop(): Promise<void>;
}

const TYPES: Record<string, string> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.css': 'text/css',
};

/** A product's own site: its page, and beside it the client as it is published, without a bundler. */
export async function servePage(): Promise<PageServer> {
  const dir = await mkdtemp(path.join(os.tmpdir(), 'countersign-page-'));
  buildClient(dir);
  const served = await serveFiles((pathname) => fileOf(pathname, dir));
  return {
    origin: served.origin,
    stop: async () => {
      await served.stop();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

/** Any site, by the file that an address stands for. */
export async function serveFiles(fileOf: (pathname: string) => string): Promise<PageServer> {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '', 'http://page');
    void readFile(fileOf(pathname)).then(
      (content) =>
        response.setHeader('content-type', TYPES[path.extname(pathname)] ?? TYPES['.html'] ?? '').end(content),
      () => response.writeHead(404).end(),
    );
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: () => {
      server.closeAllConnections();
      server.close();
      return Promise.resolve();
    },
  };
}

function buildClient(outDir: string): void {
  const args = ['node_modules/typescript/bin/tsc', '-p', 'libs/client', '--outDir', outDir];
  const { status, stdout } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(stdout);
}

function fileOf(pathname: string, client: string): string {
  if (pathname === '/openapi-fetch.mjs') return path.resolve('node_modules/openapi-fetch/dist/index.mjs');
  if (pathname.startsWith('/client/')) return path.join(client, pathname.slice('/client/'.length));
  return path.resolve('test/browser/page', pathname === '/' ? 'index.html' : pathname.slice(1));
}
