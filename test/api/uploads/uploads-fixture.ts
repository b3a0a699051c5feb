// Uploads as their owner and the store see them. The API reaches the store through a door, where each of its requests is counted and can be held.
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import {
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { clientOf } from '../../storage/store-bucket.js';
import { install, type Installation, storeBucket, type Tenant } from '../../support/installation.js';
import { type Door, openStoreDoor, type Step } from '../../uploads/store-door.js';
import { asOwner, type Calls, callsBy } from '../calls.js';

export const MIB = 1024 ** 2;

export interface IssuedUpload {
  uploadId: string;
  url: string;
  headers: Record<string, string>;
  key: string;
  partSize: number;
  partCount: number;
}

export interface UploadsTest {
  installation: Installation;
  tenant: Tenant;
  alice: Calls;
  /** Of the API's own requests to the store. */
  requests: string[];
  /** What happens at the door, before a request is passed on and before its answer is; false breaks it off. */
  door: { keeper: (step: Step) => Promise<boolean> };
  store: StoreView;
  key(): string;
  /** An upload of alice's. */
  issue(body: object): Promise<IssuedUpload>;
  /** The rows of an upload, oldest first. */
  history(uploadId: string): Promise<string[]>;
  stop(): Promise<void>;
}

export async function startUploads(bucket: Record<string, unknown> = {}): Promise<UploadsTest> {
  const requests: string[] = [];
  const gate: UploadsTest['door'] = { keeper: () => Promise.resolve(true) };
  const place: Record<string, unknown> = { ...storeBucket(), ...bucket };
  const door: Door = await openStoreDoor(String(storeBucket()['endpoint']), (step) => {
    if (step.when === 'before') requests.push(step.what);
    return gate.keeper(step);
  });
  const installation = await install();
  const tenant = await installation.createTenant({
    ...place,
    endpoint: door.address,
    publicEndpoint: storeBucket()['endpoint'],
  });
  await tenant.grant({ subject: { type: 'everyone' }, prefix: 'users/{sub}/' });
  const alice = callsBy(installation.api, tenant.token('alice'));
  const free = { action: 'write', minExpirySeconds: 1, defaultExpirySeconds: 60, maxExpirySeconds: 3600 };
  await callsBy(installation.api, tenant.admin)
    .put('/use-cases/free', { ...free, overwrite: true })
    .expect(201);
  return {
    installation,
    tenant,
    alice,
    requests,
    door: gate,
    store: new StoreView(String(place['keyPrefix'])),
    key: () => `users/alice/${randomUUID()}`,
    issue: async (body) => {
      const wish = { bucket: 'files', useCase: 'free', contentType: 'text/plain', ...body };
      return ((await alice.post('/upload-url', wish).expect(201)) as { body: IssuedUpload }).body;
    },
    history: async (uploadId) => {
      const rows = await asOwner<{ row: string }>(
        `SELECT concat_ws(' ', action, decision, reason, subject) AS row FROM ledger
          WHERE issuance_id = $1 OR details->>'uploadId' = $1::text ORDER BY at, id`,
        [uploadId],
      );
      return rows.map(({ row }) => row);
    },
    stop: async () => {
      await installation.close();
      await door.close();
    },
  };
}

/** The store, past the API. */
export class StoreView {
  readonly #client: S3Client;
  readonly #bucket = process.env['STORAGE_BUCKET'] ?? '';

  constructor(private readonly keyPrefix: string) {
    const env = process.env;
    this.#client = clientOf({
      accessKeyId: env['STORAGE_ACCESS_KEY_ID'] ?? '',
      secretAccessKey: env['STORAGE_SECRET_ACCESS_KEY'] ?? '',
    });
  }

  /** An object that no URL of ours made; with an upload's id it passes for that upload's. */
  async put(key: string, body: string, { contentType = 'text/plain', uploadId = '' } = {}): Promise<void> {
    const Metadata: Record<string, string> = uploadId === '' ? {} : { 'countersign-upload': uploadId };
    await this.#client.send(
      new PutObjectCommand({ ...this.#place(key), Body: body, ContentType: contentType, Metadata }),
    );
  }

  /** What is there, or null. */
  async get(key: string): Promise<string | null> {
    try {
      const { Body } = await this.#client.send(new GetObjectCommand(this.#place(key)));
      return (await Body?.transformToString()) ?? '';
    } catch (error) {
      if ((error as Error).name === 'NoSuchKey') return null;
      throw error;
    }
  }

  async contentTypeOf(key: string): Promise<string | undefined> {
    return (await this.#client.send(new HeadObjectCommand(this.#place(key)))).ContentType;
  }

  /** How many multipart uploads of the key are under way. */
  async startedUploads(key: string): Promise<number> {
    const { Uploads = [] } = await this.#client.send(
      new ListMultipartUploadsCommand({ Bucket: this.#bucket, Prefix: this.keyPrefix + key }),
    );
    return Uploads.length;
  }

  #place(key: string): { Bucket: string; Key: string } {
    return { Bucket: this.#bucket, Key: this.keyPrefix + key };
  }
}

/** By the URL, as a client does it; gives the ETag. */
export async function putTo(
  { url, headers }: { url: string; headers: Record<string, string> },
  body: string | Uint8Array<ArrayBuffer>,
): Promise<string> {
  const response = await fetch(url, { method: 'PUT', headers, body });
  if (response.status !== 200) throw new Error(`${response.status} ${await response.text()}`);
  return response.headers.get('etag') ?? '';
}

export const sha256 = (body: string | Uint8Array): string => createHash('sha256').update(body).digest('base64');

/** 8 MiB and a rest of five bytes: two parts. */
export const twoParts = (): Uint8Array<ArrayBuffer> => new Uint8Array(randomBytes(8 * MIB + 5));

export const partsOf = (body: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer>[] => [
  body.subarray(0, 8 * MIB),
  body.subarray(8 * MIB),
];
