import { randomBytes, randomUUID } from 'node:crypto';
import { openAsBlob } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { createCountersignClient, type CountersignClient, type UploadProgress } from '@countersign/client';
import { CuttingProxy } from '../support/cutting-proxy.js';
import { install, type Installation, type Tenant } from '../support/installation.js';

export const MIB = 1024 * 1024;

/** Alice with the typed client; between her and the store is a proxy that can lose her connections. */
export class UploadTest {
  private constructor(
    readonly installation: Installation,
    readonly tenant: Tenant,
    readonly proxy: CuttingProxy,
    private readonly dir: string,
  ) {}

  static async start(): Promise<UploadTest> {
    const proxy = await CuttingProxy.before(process.env['STORAGE_ENDPOINT'] ?? '');
    const installation = await install();
    const tenant = await installation.createTenant({ publicEndpoint: proxy.endpoint });
    await tenant.grant({ subject: { type: 'everyone' }, prefix: 'users/{sub}/' });
    return new UploadTest(installation, tenant, proxy, await mkdtemp(path.join(os.tmpdir(), 'countersign-client-')));
  }

  async stop(): Promise<void> {
    await this.installation.close();
    await this.proxy.stop();
    await rm(this.dir, { recursive: true, force: true });
  }

  /** @param fetch what the client calls the service by, where a test changes an answer. */
  async client(fetch?: (request: Request) => Promise<Response>): Promise<CountersignClient> {
    const baseUrl = await this.installation.app.getUrl();
    return createCountersignClient({ baseUrl, token: this.tenant.token('alice'), ...(fetch ? { fetch } : {}) });
  }

  /** A file on disk, of random bytes, so that no two parts are alike. */
  async file(size: number): Promise<{ file: Blob; bytes: Buffer }> {
    const bytes = randomBytes(size);
    const name = path.join(this.dir, randomUUID());
    await writeFile(name, bytes);
    return { file: await openAsBlob(name, { type: 'text/plain' }), bytes };
  }

  freshPlace(): { bucket: string; key: string } {
    return { bucket: 'files', key: `users/alice/${randomUUID()}/file` };
  }

  /** What the store has under a key, or the status of its refusal. */
  async stored(place: { bucket: string; key: string }): Promise<Buffer | number> {
    const { url } = await (await this.client()).createDownloadUrl(place);
    const response = await fetch(url);
    return response.ok ? Buffer.from(await response.arrayBuffer()) : response.status;
  }
}

/** Collects what is told, so that a test can see whether it ever went back. */
export function progressLog(): { told: UploadProgress[]; onProgress: (progress: UploadProgress) => void } {
  const told: UploadProgress[] = [];
  return { told, onProgress: (progress) => void told.push(progress) };
}

export async function rejection<Failure extends Error>(
  promise: Promise<unknown>,
  expected: abstract new (...args: never[]) => Failure,
): Promise<Failure> {
  const thrown: unknown = await promise.then(
    (value) => new Error(`It was fulfilled: ${JSON.stringify(value)}`),
    (error: unknown) => error,
  );
  if (thrown instanceof expected) return thrown;
  throw thrown;
}
