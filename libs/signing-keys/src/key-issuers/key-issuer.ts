/** No attempt at a store takes longer: whoever holds a lease for longer than this may make one. */
export const CALL_TIMEOUT_MS = 10_000;

/** Makes and takes away access keys at a store. Every call is one attempt, bounded in time (CALL_TIMEOUT_MS), never retried inside. */
export interface KeyIssuer {
  /** What must be on record before `create`: the name where we choose it, or which keys there were before where the store does. No secret. */
  prepare(): Promise<CreationIntent>;

  /** Makes the key of this intent. Idempotent where the name is ours. @throws KeyIssuerError */
  create(intent: CreationIntent): Promise<IssuedKey>;

  /** After a `create` whose outcome is not known (a crash, a time-out): what is to be done before it can be tried again. */
  afterUnknown(intent: CreationIntent): Promise<Recovery>;

  /** The key signs no more. Idempotent; a key that is gone is cut off. Where the store cannot disable, this deletes. */
  disable(accessKeyId: string): Promise<void>;

  /** Idempotent; only this key, never "the oldest". */
  remove(accessKeyId: string): Promise<void>;
}

/** What a `create` is about to do, committed before it is made; it is stored as JSON. */
export interface CreationIntent {
  /** Null where the store chooses the name. */
  accessKeyId: string | null;
  /** Which keys there were before, where the store chooses the name. */
  knownAccessKeyIds: string[];
  /** RFC 3339; by the store's clock where it tells. */
  preparedAt: string;
}

export interface IssuedKey {
  accessKeyId: string;
  secretAccessKey: string;
}

export type Recovery =
  /** Try again, with a new intent. */
  | { kind: 'nothing-made' }
  /** Ours, and its secret is lost: record the name, then remove it, then try again. */
  | { kind: 'unused'; accessKeyId: string }
  /** The store may not show it yet: ask again shortly. */
  | { kind: 'wait' }
  /** Ours cannot be told from another's: the operator decides. */
  | { kind: 'unclear'; accessKeyIds: string[] };

/**
 * - `refused`, `limit`: nothing was done, and a person is needed.
 * - `throttled`: nothing was done; later.
 * - `unknown`: it may have been done.
 */
export type KeyIssuerErrorKind = 'refused' | 'limit' | 'unknown' | 'throttled';

/** An attempt that failed. Its message is shown to administrators: it says what the store said, and holds no secret. */
export class KeyIssuerError extends Error {
  constructor(
    readonly kind: KeyIssuerErrorKind,
    message: string,
    options: { cause?: unknown } = {},
  ) {
    super(message, options);
    this.name = 'KeyIssuerError';
  }
}
