// What the store uses of @20minutes/s3rver 4.0.4, which brings no types.

declare module '@20minutes/s3rver' {
  import type { IncomingMessage, ServerResponse } from 'node:http';
  import type FilesystemStore from '@20minutes/s3rver/lib/stores/filesystem.js';

  /** A Koa application. */
  export default class S3rver {
    constructor(options: { directory: string; silent: boolean; vhostBuckets: boolean });
    store: FilesystemStore;
    context: { store: FilesystemStore };
    callback(): (request: IncomingMessage, response: ServerResponse) => Promise<void>;
    createContext(request: IncomingMessage, response: ServerResponse): { state: { account?: unknown } };
  }
}

declare module '@20minutes/s3rver/lib/models/account.js' {
  const account: { DUMMY_ACCOUNT: unknown };
  export default account;
}

declare module '@20minutes/s3rver/lib/stores/filesystem.js' {
  export interface ObjectMetadata {
    etag: string;
    'last-modified': string;
    'content-length': number;
  }

  export default class FilesystemStore {
    constructor(rootDirectory: string);
    getResourcePath(bucket: string, key: string, resource: string): string;
    getBucket(bucket: string): Promise<object | null>;
    putBucket(bucket: string): Promise<object>;
    existsObject(bucket: string, key: string): Promise<boolean>;
    /** Rejects with ENOENT when there is no such object. */
    getMetadata(bucket: string, key: string): Promise<ObjectMetadata>;
    putMetadata(bucket: string, key: string, metadata: Record<string, string>, md5?: string): Promise<void>;
    getObject(bucket: string, key: string, options?: unknown): Promise<object | null>;
    deleteObject(bucket: string, key: string): Promise<void>;
  }
}
