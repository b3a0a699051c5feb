// The suite runs against the store that these variables name: STORAGE_ENDPOINT, STORAGE_REGION, STORAGE_BUCKET (which is there),
// STORAGE_ACCESS_KEY_ID, STORAGE_SECRET_ACCESS_KEY. Where the store gives sessions, STORAGE_STS_ENDPOINT is where it gives and believes
// them, STORAGE_ROLE_ARN the role to assume, STORAGE_STS_MIN_SECONDS the shortest session (900). Where it has Ceph's Admin Ops API,
// STORAGE_ADMIN_ACCESS_KEY_ID and STORAGE_ADMIN_SECRET_ACCESS_KEY are those of a user with the capability users=*, and STORAGE_UID is the user
// whose access key signs: with these three the tests make access keys of their own, to rotate away. Without all that: the embedded store.
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { install, type Installation, type Tenant } from '../support/installation.js';

/** What an issuing call answers, as far as a client uses it. */
export interface Issued {
  url: string;
  headers: Record<string, string>;
  expiresAt: string;
  expiresInSeconds: number;
  expiryLimitedBy: 'credential' | null;
}

/** A tenant whose people each have a folder of their own in a bucket of the store that the run's variables name. */
export class StorageTest {
  private constructor(
    readonly installation: Installation,
    readonly tenant: Tenant,
  ) {}

  /** @param bucket what is registered in another way than the run's variables say. */
  static async start(bucket: Record<string, unknown> = {}): Promise<StorageTest> {
    const installation = await install();
    const tenant = await installation.createTenant(bucket);
    const { admin } = tenant;
    await tenant.grant({ subject: { type: 'everyone' }, prefix: 'users/{sub}/' });
    for (const [name, useCase] of Object.entries(USE_CASES)) {
      await installation.api.put(`/use-cases/${name}`).auth(admin, { type: 'bearer' }).send(useCase).expect(201);
    }
    return new StorageTest(installation, tenant);
  }

  stop(): Promise<void> {
    return this.installation.close();
  }

  /** A key in alice's folder where nothing is yet. */
  freshKey(name = 'file'): string {
    return `users/alice/${randomUUID()}/${name}`;
  }

  /** An upload URL of alice's, for plain text unless something else is wanted. */
  async uploadUrl(key: string, body: string | Uint8Array<ArrayBuffer>, more: object = {}): Promise<Issued> {
    const contentLength = Buffer.byteLength(body);
    const request = { bucket: 'files', key, contentType: 'text/plain', contentLength, ...more };
    const response = await this.ask('/upload-url', 'alice', request).expect(201);
    return response.body as Issued;
  }

  /** A download URL of alice's. */
  async downloadUrl(key: string, more: object = {}): Promise<Issued> {
    const response = await this.ask('/download-url', 'alice', { bucket: 'files', key, ...more }).expect(201);
    return response.body as Issued;
  }

  ask(path: '/upload-url' | '/download-url', subject: string, request: object) {
    return this.installation.api.post(path).auth(this.tenant.token(subject), { type: 'bearer' }).send(request);
  }

  /** Stores an object of alice's; gives its key. */
  async store(body: string, more: object = {}): Promise<string> {
    const key = this.freshKey();
    const response = await put(await this.uploadUrl(key, body, more), body);
    if (!response.ok) throw new Error(`The upload was refused: ${response.status} ${await response.text()}`);
    return key;
  }

  /** What alice finds under a key: its content, or the status of the refusal. */
  async read(key: string): Promise<string | number> {
    const response = await fetch((await this.downloadUrl(key)).url);
    const body = await response.text();
    return response.ok ? body : response.status;
  }
}

/** `brief` ends while a test watches; `replace` may overwrite. */
const USE_CASES = {
  brief: { action: 'any', minExpirySeconds: 1, defaultExpirySeconds: 2, maxExpirySeconds: 60 },
  replace: {
    action: 'write',
    minExpirySeconds: 60,
    defaultExpirySeconds: 60,
    maxExpirySeconds: 60,
    overwrite: true,
  },
};

/** Uploads as the answer says, or with other headers. */
export function put(
  { url, headers }: Issued,
  body: RequestInit['body'],
  others: Record<string, string> = {},
): Promise<Response> {
  return fetch(url, { method: 'PUT', headers: { ...headers, ...others }, body });
}

/** Asks again until the store refuses, which it must do once `expiresAt` has passed, and gives the refusal. */
export async function untilRefused(expiresAt: string, request: () => Promise<Response>): Promise<Response> {
  // Its clock may be behind ours by a little.
  const deadline = Date.parse(expiresAt) + 15_000;
  while (Date.now() < deadline) {
    const response = await request();
    if (!response.ok) return response;
    await response.arrayBuffer();
    await sleep(250);
  }
  throw new Error(`The store did not refuse within 15 seconds from ${expiresAt} on.`);
}

/**
 * When a store says that it answered, which is by the clock that counts. Its Date header may come from a coarser clock than its decision
 * (Ceph's does), and so name the second before.
 */
export function latestTimeOf(response: Response): number {
  return Date.parse(response.headers.get('date') ?? '') + 1000;
}
