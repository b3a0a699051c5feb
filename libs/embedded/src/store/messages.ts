/** A storage credential, both halves. */
export interface AccessKey {
  accessKeyId: string;
  secretAccessKey: string;
}

/** An access key of one of the store's users; `embedded` where it names none. */
export interface UserAccessKey extends AccessKey {
  uid?: string;
}

export interface StoreBucket {
  name: string;
  /** Exact origins of the pages that may use the bucket, such as `http://localhost:3000`. */
  corsOrigins: string[];
}

export interface StoreConfig {
  dir: string;
  port: number;
  region: string;
  buckets: StoreBucket[];
  /** At the first start; later, those that are kept in `dir` count. */
  accessKeys: UserAccessKey[];
  /** Who may make and take away access keys, and do nothing else. */
  admin: AccessKey | undefined;
}

/** What the parent tells the store's process. Secrets go this way, as others can read arguments and environments. */
export type Command = { type: 'start'; config: StoreConfig } | { type: 'stop' };

export type Report = { type: 'ready' } | { type: 'failed'; reason: string } | { type: 'log'; line: string };
