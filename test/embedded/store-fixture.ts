import { mkdtemp, readdir, rm } from 'node:fs/promises';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { GetObjectCommand, PutObjectCommand, S3Client, type PutObjectCommandInput } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { startStore, type AccessKey, type EmbeddedStore, type StoreOptions } from '@countersign/embedded';
import { callCephAdmin } from '../../libs/signing-keys/src/key-issuers/ceph-admin.js';
import { OUTGOING } from '../support/outgoing.js';

export const BUCKET = 'photos';
export const ORIGIN = 'http://localhost:3000';
export const ACCESS_KEY = { accessKeyId: 'AKIAEXAMPLE', secretAccessKey: 'a secret/with+signs=' };
export const ADMIN = { accessKeyId: 'ADMINEXAMPLE', secretAccessKey: "the admin's secret" };

type SigningOptions = Parameters<typeof getSignedUrl>[2];

/** A store of its own in a fresh directory, and an SDK client that signs for it. */
export class TestStore {
  private constructor(
    readonly dir: string,
    readonly store: EmbeddedStore,
    readonly client: S3Client,
  ) {}

  static async start(options: Partial<StoreOptions> = {}): Promise<TestStore> {
    const dir = options.dir ?? (await mkdtemp(path.join(os.tmpdir(), 'countersign-store-')));
    const buckets = [{ name: BUCKET, corsOrigins: [ORIGIN] }];
    const store = await startStore({ dir, buckets, accessKeys: [ACCESS_KEY], admin: ADMIN, ...options });
    return new TestStore(dir, store, clientFor(store.endpoint));
  }

  async stop(): Promise<void> {
    this.client.destroy();
    await this.store.stop();
    await rm(this.dir, { recursive: true, force: true });
  }

  presignPut(key: string, input: Partial<PutObjectCommandInput> = {}, options: SigningOptions = {}): Promise<string> {
    const signableHeaders = new Set(input.ContentType ? ['content-type'] : []);
    const unhoistableHeaders = new Set(['x-amz-checksum-sha256', 'x-amz-acl', 'x-amz-meta-note']);
    const command = new PutObjectCommand({ Bucket: BUCKET, Key: key, ...input });
    return getSignedUrl(this.client, command, { signableHeaders, unhoistableHeaders, ...options });
  }

  presignGet(key: string, input: object = {}, options: SigningOptions = {}): Promise<string> {
    return getSignedUrl(this.client, new GetObjectCommand({ Bucket: BUCKET, Key: key, ...input }), options);
  }

  /** Stores an object by a presigned URL. */
  async put(key: string, body: string): Promise<Response> {
    const response = await fetch(await this.presignPut(key), { method: 'PUT', body });
    if (!response.ok) throw new Error(await refusal(response));
    return response;
  }

  /** The object's content, or the code of the refusal. */
  async read(key: string): Promise<string> {
    const response = await fetch(await this.presignGet(key));
    return response.ok ? response.text() : `${await codeOf(response)}`;
  }

  /** A call of the Admin Ops API: its status, and its answer or the code of the refusal. */
  async admin(
    method: 'GET' | 'PUT' | 'DELETE',
    parameters: Record<string, string>,
    credential: AccessKey = ADMIN,
  ): Promise<{ status: number; answer: unknown }> {
    const admin = { endpoint: this.store.endpoint, ...credential };
    const { status, body } = await callCephAdmin(OUTGOING, admin, method, parameters, AbortSignal.timeout(5_000));
    const answer = body.length === 0 ? null : (JSON.parse(body.toString()) as { Code?: string });
    return { status, answer: answer?.Code ?? answer };
  }

  /** Makes or takes away a key of the store's user. */
  async change(method: 'PUT' | 'DELETE', { accessKeyId, secretAccessKey }: AccessKey): Promise<void> {
    const secret: Record<string, string> = method === 'PUT' ? { 'secret-key': secretAccessKey } : {};
    const { status } = await this.admin(method, { key: '', uid: 'embedded', 'access-key': accessKeyId, ...secret });
    if (status !== 200) throw new Error(`The admin was refused: ${status}`);
  }

  /** Waits until that many uploads have begun and not ended. */
  async untilStaged(count: number): Promise<void> {
    for (let tries = 0; tries < 300; tries++) {
      if ((await readdir(path.join(this.dir, 'staging'))).length === count) return;
      await sleep(10);
    }
    throw new Error(`There were never ${count} uploads under way.`);
  }

  /** Writes bytes that no well-behaved client would; gives all that comes back until the store hangs up. */
  send(bytes: string, { thenClose = false } = {}): Promise<string> {
    return new Promise((resolve) => {
      let answer = '';
      const socket = net.connect(this.store.port, '127.0.0.1', () => {
        socket.write(bytes, () => thenClose && socket.destroy());
      });
      socket.on('data', (chunk) => (answer += chunk.toString()));
      socket.on('error', () => undefined);
      socket.on('close', () => resolve(answer));
      socket.setTimeout(2_000, () => socket.destroy());
    });
  }
}

export function clientFor(endpoint: string, credentials = ACCESS_KEY): S3Client {
  return new S3Client({
    endpoint,
    credentials,
    region: 'us-east-1',
    forcePathStyle: true,
    maxAttempts: 1,
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  });
}

/** Status and code of a refusal, such as `403 AccessDenied`. */
export async function refusal(response: Response | Promise<Response>): Promise<string> {
  const answer = await response;
  return `${answer.status} ${await codeOf(answer)}`;
}

async function codeOf(response: Response): Promise<string | undefined> {
  return /<Code>(\w+)<\/Code>/.exec(await response.text())?.[1];
}
