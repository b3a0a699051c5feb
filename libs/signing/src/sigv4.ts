import { createHmac, hash } from 'node:crypto';
import type { UrlTerms } from '@countersign/ledger';
import { ALGORITHM, type Credential, type DerivedKeys, scopeOf, toAmzDate } from './derived-keys.js';
import { escapeUri } from './object-address.js';

/**
 * AWS Signature Version 4 with query parameters, for S3 (Amazon S3 API Reference, "Authenticating Requests: Using Query Parameters"): what
 * the SDK's presigner gives, byte for byte, at a tenth of its cost. The body is not signed.
 */
export class SigV4Presigner {
  #time = { epochSeconds: NaN, text: '' };

  constructor(private readonly derivedKeys: DerivedKeys) {}

  presign(terms: UrlTerms, credential: Credential): string {
    const { host, path } = splitAddress(terms.url);
    const time = this.#amzDate(terms.issuedAt);
    const scope = scopeOf(time, terms.region);
    const names = [...Object.keys(terms.headers), 'host'].sort();
    const signedHeaders = names.join(';');
    const { before, after } = canonicalQuery(terms, credential, { time, scope, signedHeaders });

    const canonicalHeaders = names.reduce(
      (text, name) => `${text}${name}:${trimAll(terms.headers[name] ?? host)}
`,
      '',
    );
    const canonicalRequest = `${terms.method}\n${path}\n${before}&${after}\n${canonicalHeaders}\n${signedHeaders}\nUNSIGNED-PAYLOAD`;
    const stringToSign = `${ALGORITHM}\n${time}\n${scope}\n${hash('sha256', canonicalRequest)}`;
    const signature = createHmac('sha256', this.derivedKeys.of(credential, scope)).update(stringToSign).digest('hex');
    // The parameters stand in the order in which they were signed: "X-Amz-Signature" is before "X-Amz-SignedHeaders".
    return `${terms.url}?${before}&X-Amz-Signature=${signature}&${after}`;
  }

  /** Whatever is signed in one second has the same. */
  #amzDate(epochSeconds: number): string {
    if (this.#time.epochSeconds !== epochSeconds) this.#time = { epochSeconds, text: toAmzDate(epochSeconds) };
    return this.#time.text;
  }
}

function canonicalQuery(
  { query, expiresInSeconds }: UrlTerms,
  { accessKeyId, sessionToken }: Credential,
  { time, scope, signedHeaders }: { time: string; scope: string; signedHeaders: string },
): { before: string; after: string } {
  const token = sessionToken === undefined ? '' : `&X-Amz-Security-Token=${escapeUri(sessionToken)}`;
  const before = `X-Amz-Algorithm=${ALGORITHM}&X-Amz-Content-Sha256=UNSIGNED-PAYLOAD&X-Amz-Credential=${escapeUri(`${accessKeyId}/${scope}`)}&X-Amz-Date=${time}&X-Amz-Expires=${expiresInSeconds}${token}`;
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
