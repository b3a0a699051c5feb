import { createHmac, createSecretKey, hash, type KeyObject } from 'node:crypto';
import type { Receipt } from '@countersign/ledger';
import { LRUCache } from 'lru-cache';
import { escapeUri } from './object-address.js';

type Terms = Receipt['terms'];

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
  key: KeyObject;
}

/** Signing keys in use at once, each of which costs four HMACs a day to derive. */
const MAX_DERIVED_KEYS = 10_000;

/**
 * AWS Signature Version 4 with query parameters, for S3 (Amazon S3 API Reference, "Authenticating Requests: Using Query Parameters"): what
 * the SDK's presigner gives, byte for byte, at a tenth of its cost. The body is not signed.
 */
export class SigV4Presigner {
  readonly #derivedKeys = new LRUCache<string, DerivedKey>({ max: MAX_DERIVED_KEYS });

  #time = { epochSeconds: NaN, text: '' };

  presign(terms: Terms, credential: Credential): string {
    const { host, path } = splitAddress(terms.url);
    const time = this.#amzDate(terms.issuedAt);
    const scope = `${time.slice(0, 8)}/${terms.region}/s3/aws4_request`;
    const names = [...Object.keys(terms.headers), 'host'].sort();
    const signedHeaders = names.join(';');
    const { before, after } = canonicalQuery(terms, credential, { time, scope, signedHeaders });

    const canonicalHeaders = names.reduce(
      (text, name) => `${text}${name}:${trimAll(terms.headers[name] ?? host)}
`,
      '',
    );
    const canonicalRequest = `${terms.method}\n${path}\n${before}&${after}\n${canonicalHeaders}\n${signedHeaders}\nUNSIGNED-PAYLOAD`;
    const stringToSign = `AWS4-HMAC-SHA256\n${time}\n${scope}\n${hash('sha256', canonicalRequest)}`;
    const signature = createHmac('sha256', this.#derivedKey(credential, scope)).update(stringToSign).digest('hex');
    // The parameters stand in the order in which they were signed: "X-Amz-Signature" is before "X-Amz-SignedHeaders".
    return `${terms.url}?${before}&X-Amz-Signature=${signature}&${after}`;
  }

  /** Whatever is signed in one second has the same. */
  #amzDate(epochSeconds: number): string {
    if (this.#time.epochSeconds !== epochSeconds) this.#time = { epochSeconds, text: toAmzDate(epochSeconds) };
    return this.#time.text;
  }

  #derivedKey({ signingKeyId, secretAccessKey }: Credential, scope: string): KeyObject {
    const known = this.#derivedKeys.get(signingKeyId);
    if (known?.scope === scope && known.secretAccessKey === secretAccessKey) return known.key;
    const key = createSecretKey(
      scope
        .split('/')
        .reduce<Buffer>(
          (derived, part) => createHmac('sha256', derived).update(part).digest(),
          Buffer.from(`AWS4${secretAccessKey}`),
        ),
    );
    this.#derivedKeys.set(signingKeyId, { secretAccessKey, scope, key });
    return key;
  }
}

function canonicalQuery(
  { query, expiresInSeconds }: Terms,
  { accessKeyId, sessionToken }: Credential,
  { time, scope, signedHeaders }: { time: string; scope: string; signedHeaders: string },
): { before: string; after: string } {
  const token = sessionToken === undefined ? '' : `&X-Amz-Security-Token=${escapeUri(sessionToken)}`;
  const before = `X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Content-Sha256=UNSIGNED-PAYLOAD&X-Amz-Credential=${escapeUri(`${accessKeyId}/${scope}`)}&X-Amz-Date=${time}&X-Amz-Expires=${expiresInSeconds}${token}`;
  // S3's own parameters begin with a small letter, and so stand behind these.
  let after = `X-Amz-SignedHeaders=${escapeUri(signedHeaders)}`;
  for (const name of Object.keys(query).sort()) after += `&${escapeUri(name)}=${escapeUri(query[name] ?? '')}`;
  return { before, after };
}

/** SigV4's `Trimall`: no space around a header's value, and one between its words. */
const trimAll = (value: string): string => value.trim().replace(/\s+/g, ' ');

function splitAddress(url: string): { host: string; path: string } {
  const start = url.indexOf('://') + 3;
  const slash = url.indexOf('/', start);
  return { host: url.slice(start, slash), path: url.slice(slash) };
}

/** ISO 8601 basic, in whole seconds: `20270131T120000Z`. */
function toAmzDate(epochSeconds: number): string {
  const text = new Date(epochSeconds * 1000).toISOString();
  return `${text.slice(0, 4)}${text.slice(5, 7)}${text.slice(8, 13)}${text.slice(14, 16)}${text.slice(17, 19)}Z`;
}
