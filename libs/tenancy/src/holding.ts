/** What a tenant holds, as far as one request is concerned. */
export interface Holding {
  /** The database's clock: whole seconds since the epoch, the same for all that is decided about this request. */
  now: number;
  bucket: Bucket | null;
  useCase: UseCase | null;
  /** The one that signs now, or null. */
  signingKey: SigningKey | null;
  /** Live grants of the caller's that the key's ancestors lead to. */
  grants: Grant[];
  /** Whether the caller has any live allow grant in this bucket. */
  holdsAnything: boolean;
  /** Of the keys that anybody wants to read in this bucket now, those that nobody may until an upload to them was verified. */
  withheld: ReadonlySet<string>;
}

/** A storage location that a tenant registered. */
export interface Bucket {
  id: string;
  name: string;
  endpoint: string | null;
  publicEndpoint: string | null;
  region: string;
  /** The bucket's name at the store. */
  bucket: string;
  keyPrefix: string;
  forcePathStyle: boolean;
  acl: 'private' | 'none';
}

export interface UseCase {
  name: string;
  action: 'read' | 'write' | 'any';
  minExpirySeconds: number;
  defaultExpirySeconds: number | null;
  maxExpirySeconds: number;
  contentTypes: string[];
  minContentLength: number | null;
  maxContentLength: number | null;
  overwrite: boolean;
  disposition: 'attachment' | 'inline' | null;
  requireVerified: boolean;
}

export interface SigningKey {
  id: string;
  accessKeyId: string;
  /** Base64; sealed. */
  sealedCredential: string;
  /** Whole seconds since the epoch, or null: it does not end by itself. */
  expiresAt: number | null;
}

export interface Grant {
  id: string;
  path: string;
  isPrefix: boolean;
  actions: ('read' | 'write')[];
  effect: 'allow' | 'deny';
}
