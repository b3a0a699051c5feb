import { createHash, randomUUID } from 'node:crypto';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { Config } from '@countersign/config';
import { Database } from '@countersign/database';
import { CredentialSeal } from '@countersign/signing-keys';
import { DueUploads, UPLOAD_TIMES, UploadLeases, type UploadTimes } from '@countersign/uploads';
import pg from 'pg';
import { ClearUpload } from '../../apps/api/src/uploads/clear-upload.js';
import { SettleUpload } from '../../apps/api/src/uploads/settle-upload.js';
import { StoreAccess } from '../../apps/api/src/uploads/store-access.js';
import { DeadStarts } from '../../apps/api/src/uploads/dead-starts.js';
import type { Done } from '../../apps/api/src/upload-reconciler/outcome.js';
import { ReconcileUpload } from '../../apps/api/src/upload-reconciler/reconcile-upload.js';
import { UploadReconciler } from '../../apps/api/src/upload-reconciler/upload-reconciler.js';
import { clientOf } from '../storage/store-bucket.js';
import { freshDatabase, type FreshDatabase } from '../support/fresh-database.js';
import { putUploadRow, type UploadRow } from './upload-rows.js';
import { OUTGOING } from '../support/outgoing.js';

export const sha256 = (text: string): string => createHash('sha256').update(text).digest('base64');

/** A tenant's bucket at the run's store. */
export interface RigBucket {
  tenantId: string;
  bucketId: string;
  keyPrefix: string;
}

/** Uploads on a database of their own, the run's store, and replicas that reconcile them when they are told to. */
export class ReconcilerRig {
  readonly store: S3Client;
  readonly #databases: Database[] = [];
  readonly #name = process.env['STORAGE_BUCKET'] ?? '';

  private constructor(
    readonly database: FreshDatabase,
    private readonly config: Config,
    private readonly seal: CredentialSeal,
  ) {
    const { STORAGE_ACCESS_KEY_ID = '', STORAGE_SECRET_ACCESS_KEY = '' } = process.env;
    this.store = clientOf({ accessKeyId: STORAGE_ACCESS_KEY_ID, secretAccessKey: STORAGE_SECRET_ACCESS_KEY });
  }

  static async start(): Promise<ReconcilerRig> {
    const fresh = await freshDatabase();
    const config = new Config({ ...process.env, ...fresh.env, NODE_ENV: 'test', LOG_LEVEL: 'silent' });
    return new ReconcilerRig(withPool(fresh), config, new CredentialSeal(config));
  }

  async close(): Promise<void> {
    for (const database of this.#databases) await database.onApplicationShutdown();
    await this.database.drop();
  }

  replica(times: Partial<UploadTimes> = {}): Replica {
    const database = new Database(this.config);
    this.#databases.push(database);
    return new Replica(database, this.config, this.seal, { ...UPLOAD_TIMES, ...times });
  }

  async makeBucket({
    endpoint = process.env['STORAGE_ENDPOINT'] ?? '',
    keyPrefix = `${randomUUID()}/`,
  } = {}): Promise<RigBucket> {
    const [tenantId, bucketId, signingKeyId] = [randomUUID(), randomUUID(), randomUUID()];
    const { STORAGE_REGION, STORAGE_ACCESS_KEY_ID, STORAGE_SECRET_ACCESS_KEY = '' } = process.env;
    await this.database.query(`INSERT INTO tenants (id, slug, name) VALUES ($1, $2, 'A tenant')`, [
      tenantId,
      `t-${tenantId}`,
    ]);
    await this.database.query(
      `INSERT INTO buckets (id, tenant_id, name, provider, endpoint, region, bucket, key_prefix, force_path_style, acl)
       VALUES ($1, $2, 'files', 's3', $3, $4, $5, $6, true, 'private')`,
      [bucketId, tenantId, endpoint, STORAGE_REGION, this.#name, keyPrefix],
    );
    const sealed = this.seal.seal({ secretAccessKey: STORAGE_SECRET_ACCESS_KEY }, { tenantId, signingKeyId });
    await this.database.query(
      `INSERT INTO signing_keys (id, tenant_id, bucket_id, access_key_id, sealed_credential, state)
       VALUES ($1, $2, $3, $4, $5, 'active')`,
      [signingKeyId, tenantId, bucketId, STORAGE_ACCESS_KEY_ID, sealed],
    );
    return { tenantId, bucketId, keyPrefix };
  }

  /** An upload of alice's in this bucket, by default under a key where nothing is. */
  async upload({ tenantId, bucketId }: RigBucket, row: Partial<UploadRow> = {}): Promise<{ id: string; key: string }> {
    const key = row.key ?? `users/alice/${randomUUID()}`;
    return { id: await putUploadRow(this.database, { ...row, tenantId, bucketId, key }), key };
  }

  /** All of a bucket's uploads are older, and so is what waits for them. */
  async timePasses({ bucketId }: RigBucket, seconds: number): Promise<void> {
    await this.database.query(
      `UPDATE uploads SET created_at = created_at - make_interval(secs => $2), expires_at = expires_at - make_interval(secs => $2),
          due_at = due_at - make_interval(secs => $2), finished_at = finished_at - make_interval(secs => $2)
        WHERE bucket_id = $1`,
      [bucketId, seconds],
    );
  }

  async row(id: string): Promise<Record<string, unknown> | null> {
    const sql = `SELECT *, round(extract(epoch FROM due_at - expires_at)) AS "dueAfter", due_at > now() AS waits FROM uploads WHERE id = $1`;
    const [row] = await this.database.query(sql, [id]);
    return row ?? null;
  }

  /** What the ledger says of an upload, in order. */
  async events(id: string): Promise<string[]> {
    const rows = await this.database.query<{ action: string; subject: string }>(
      `SELECT action, subject FROM ledger WHERE details ->> 'uploadId' = $1 ORDER BY at, id`,
      [id],
    );
    for (const { subject } of rows) if (subject !== 'system:uploads') throw new Error(`recorded as ${subject}`);
    return rows.map(({ action }) => action);
  }

  /** Puts an object there, by an upload of ours or, where it is null, of somebody else's. */
  async put({ keyPrefix }: RigBucket, key: string, body: string, uploadId: string | null, ContentType = 'text/plain') {
    const Metadata = metadataOf(uploadId);
    const object = { Bucket: this.#name, Key: keyPrefix + key, Body: body, ContentType, Metadata };
    await this.store.send(new PutObjectCommand(object));
  }

  async begin({ keyPrefix }: RigBucket, key: string, uploadId: string | null = null): Promise<string> {
    const Metadata = metadataOf(uploadId);
    const upload = { Bucket: this.#name, Key: keyPrefix + key, ContentType: 'text/plain', Metadata };
    const { UploadId = '' } = await this.store.send(new CreateMultipartUploadCommand(upload));
    return UploadId;
  }

  async putPart({ keyPrefix }: RigBucket, key: string, UploadId: string, body: string): Promise<string> {
    const part = { Bucket: this.#name, Key: keyPrefix + key, UploadId, PartNumber: 1, Body: body };
    const { ETag = '' } = await this.store.send(new UploadPartCommand(part));
    return ETag;
  }

  async complete({ keyPrefix }: RigBucket, key: string, UploadId: string, ETag: string): Promise<void> {
    const MultipartUpload = { Parts: [{ PartNumber: 1, ETag }] };
    const upload = { Bucket: this.#name, Key: keyPrefix + key, UploadId, MultipartUpload };
    await this.store.send(new CompleteMultipartUploadCommand(upload));
  }

  async abort({ keyPrefix }: RigBucket, key: string, UploadId: string): Promise<void> {
    await this.store.send(new AbortMultipartUploadCommand({ Bucket: this.#name, Key: keyPrefix + key, UploadId }));
  }

  /** What is under a key: its content, or null. */
  async read({ keyPrefix }: RigBucket, key: string): Promise<string | null> {
    const command = new GetObjectCommand({ Bucket: this.#name, Key: keyPrefix + key });
    return this.store.send(command).then(
      ({ Body }) => Body?.transformToString() ?? null,
      (error: unknown) => {
        if ((error as Error).name === 'NoSuchKey') return null;
        throw error;
      },
    );
  }

  /** The multipart uploads that are under way in a bucket, by the store's names. */
  async begun({ keyPrefix }: RigBucket): Promise<string[]> {
    const { Uploads = [] } = await this.store.send(
      new ListMultipartUploadsCommand({ Bucket: this.#name, Prefix: keyPrefix }),
    );
    return Uploads.map(({ UploadId }) => UploadId ?? '').toSorted();
  }

  /** Takes away all that is in a bucket, and all that is on record of it. */
  async empty(bucket: RigBucket): Promise<void> {
    for (const key of await this.keys(bucket))
      await this.store.send(new DeleteObjectCommand({ Bucket: this.#name, Key: bucket.keyPrefix + key }));
    await this.database.query('DELETE FROM uploads WHERE bucket_id = $1', [bucket.bucketId]);
  }

  /** The keys in a bucket. */
  async keys({ keyPrefix }: RigBucket): Promise<string[]> {
    const { Contents = [] } = await this.store.send(
      new ListObjectsV2Command({ Bucket: this.#name, Prefix: keyPrefix }),
    );
    return Contents.map(({ Key = '' }) => Key.slice(keyPrefix.length));
  }
}

/** The same, for so many queries that a connection for each would take most of the time. */
function withPool(fresh: FreshDatabase): FreshDatabase {
  const pool = new pg.Pool({ connectionString: fresh.ownerUrl, max: 3 });
  return {
    ...fresh,
    query: async <Row extends pg.QueryResultRow>(sql: string, values?: unknown[]) =>
      (await pool.query<Row>(sql, values)).rows,
    drop: async () => {
      await pool.end();
      await fresh.drop();
    },
  };
}

const metadataOf = (uploadId: string | null): Record<string, string> =>
  uploadId === null ? {} : { 'countersign-upload': uploadId };

/** A process that reconciles, as the worker and the command do. */
export class Replica {
  readonly leases: UploadLeases;
  readonly reconciler: UploadReconciler;

  constructor(database: Database, config: Config, seal: CredentialSeal, times: UploadTimes) {
    this.leases = new UploadLeases(database, times);
    const store = new StoreAccess(config, database, seal, OUTGOING);
    const clear = new ClearUpload(this.leases, store);
    const settle = new SettleUpload(this.leases, store, clear);
    const deadStarts = new DeadStarts(database, this.leases, store);
    const upload = new ReconcileUpload(database, this.leases, settle, clear, deadStarts);
    this.reconciler = new UploadReconciler(new DueUploads(database, times), upload);
  }

  /** All that is due now; gives what became of whom, by id. */
  async reconcile(signal = new AbortController().signal): Promise<Map<string, Done>> {
    const done = new Map<string, Done>();
    const heard = (one: Done) => void done.set(one.upload.id, one);
    await this.reconciler.forgetOver();
    for (;;) {
      if ((await this.reconciler.takeUp(signal, heard)) > 0) continue;
      if (this.reconciler.underWay === 0) return done;
      await this.reconciler.oneEnds();
    }
  }
}
