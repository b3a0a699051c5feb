/** A storage credential, both halves. */
export interface AccessKey {
  accessKeyId: string;
  secretAccessKey: string;
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
  accessKeys: AccessKey[];
}

/** What the parent tells the store's process. Secrets go this way, as others can read arguments and environments. */
export type Command =
  | { type: 'start'; config: StoreConfig }
  | { type: 'set-access-keys'; number: number; accessKeys: AccessKey[] }
  | { type: 'stop' };

export type Report =
  | { type: 'ready' }
  | { type: 'failed'; reason: string }
  | { type: 'access-keys-set'; number: number }
  | { type: 'log'; line: string };
