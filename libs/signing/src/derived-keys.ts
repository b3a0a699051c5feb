import { createHmac } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { type HmacKey, hmacKey, HmacSha256 } from './hmac.js';

/** The secret of one signing key, unsealed. */
export interface Credential {
  signingKeyId: string;
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
}

interface DerivedKey {
  secretAccessKey: string;
  scope: string;
  key: HmacKey;
}

/** Signing keys in use at once, each of which costs four HMACs a day to derive. */
const MAX_DERIVED_KEYS = 10_000;

/** The keys that really sign: each is derived from a secret for one day, region and service (SigV4, "Calculating a Signature"). */
export class DerivedKeys {
  readonly #known = new LRUCache<string, DerivedKey>({ max: MAX_DERIVED_KEYS });
  readonly #hmac = new HmacSha256();

  /**
   * The signature of a text, in hexadecimal.
   * @param scope as `scopeOf` gives it
   */
  sign(credential: Credential, scope: string, text: string): string {
    return this.#hmac.hex(this.#keyOf(credential, scope), text);
  }

  #keyOf({ signingKeyId, secretAccessKey }: Credential, scope: string): HmacKey {
    const known = this.#known.get(signingKeyId);
    if (known?.scope === scope && known.secretAccessKey === secretAccessKey) return known.key;
    const derived = scope
      .split('/')
      .reduce<Buffer>(
        (key, part) => createHmac('sha256', key).update(part).digest(),
        Buffer.from(`AWS4${secretAccessKey}`),
      );
    const key = hmacKey(derived);
    this.#known.set(signingKeyId, { secretAccessKey, scope, key });
    return key;
  }
}

export const ALGORITHM = 'AWS4-HMAC-SHA256';

/** The credential scope: what a derived key is good for. */
export const scopeOf = (amzDate: string, region: string): string => `${amzDate.slice(0, 8)}/${region}/s3/aws4_request`;

/** ISO 8601 basic, in whole seconds: `20270131T120000Z`. */
export function toAmzDate(epochSeconds: number): string {
  const text = new Date(epochSeconds * 1000).toISOString();
  return `${text.slice(0, 4)}${text.slice(5, 7)}${text.slice(8, 13)}${text.slice(14, 16)}${text.slice(17, 19)}Z`;
}
