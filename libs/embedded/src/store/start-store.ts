import { mkdir, realpath } from 'node:fs/promises';
import { freePort } from '../free-port.js';
import type { AccessKey, StoreBucket, UserAccessKey } from './messages.js';
import { StoreSupervisor } from './store-supervisor.js';

export type { AccessKey, StoreBucket, UserAccessKey } from './messages.js';

export interface StoreOptions {
  /** Where the objects are kept between starts; made when it is missing. */
  dir: string;
  /** Left out: a free one. */
  port?: number;
  /** The region that signatures must name; us-east-1 when left out. */
  region?: string;
  buckets: StoreBucket[];
  /** What is alive at the first start in this directory; later, those that the admin has left alive. */
  accessKeys: UserAccessKey[];
  /** Who may make and take away access keys by Ceph's Admin Ops API at `/admin/user`, and do nothing else. Left out: nobody. */
  admin?: AccessKey | undefined;
  /** Hears of refused requests, one line each, without their query. */
  log?: (line: string) => void;
}

export interface EmbeddedStore {
  endpoint: string;
  port: number;
  /** Of the process that serves now; another one after a crash. */
  readonly processId: number | undefined;
  /** Lets requests in flight finish, then ends the process. May be called again. */
  stop(): Promise<void>;
}

/**
 * Starts an S3 store that only this machine can reach, that does only what a presigned URL or a signed request
 * says, and that keeps its objects between starts. It is a process of its own, started again on the same port
 * if it dies, and ends with its parent.
 */
export async function startStore(options: StoreOptions): Promise<EmbeddedStore> {
  await mkdir(options.dir, { recursive: true, mode: 0o700 });
  const { buckets, accessKeys, admin, region = 'us-east-1', log = () => undefined } = options;
  const port = options.port ?? (await freePort());
  const dir = await realpath(options.dir);
  const supervisor = new StoreSupervisor({ dir, port, region, buckets, accessKeys, admin }, log);
  await supervisor.start();
  return {
    endpoint: `http://127.0.0.1:${port}`,
    port,
    get processId() {
      return supervisor.processId;
    },
    stop: () => supervisor.stop(),
  };
}
