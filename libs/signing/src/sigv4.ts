import { hash } from 'node:crypto';
import type { UrlTerms } from '@countersign/ledger';
import { ALGORITHM, type Credential, type DerivedKeys, scopeOf, toAmzDate } from './derived-keys.js';
import { escapeUri } from './object-address.js';

/** The parameters in front of the signature: the same for all that one credential signs in one second for one length of time. */
interface Front {
  issuedAt: number;
  expiresInSeconds: number;
  region: string;
  accessKeyId: string;
  sessionToken: string | undefined;
  scope: string;
  /** What the text that is signed begins with. */
  preamble: string;
  text: string;
}

/**
 * AWS Signature Version 4 with query parameters, for S3 (Amazon S3 API Reference, "Authenticating Requests: Using Query Parameters"): what
 * the SDK's presigner gives, byte for byte, at a tenth of its cost. The body is not signed.
 */
export class SigV4Presigner {
  #time = { epochSeconds: NaN, text: '' };
  #front: Front | null = null;

  constructor(private readonly derivedKeys: DerivedKeys) {}

  presign(terms: UrlTerms, credential: Credential): string {
    const { url, method, headers, query } = terms;
    const { scope, preamble, text: before } = this.#frontOf(terms, credential);
    const hostAt = url.indexOf('://') + 3;
    const pathAt = url.indexOf('/', hostAt);
    const { names, lines } = canonicalHeaders(headers, url.slice(hostAt, pathAt));
    const after = canonicalRest(names, query);

    const canonicalRequest = `${method}\n${url.slice(pathAt)}\n${before}&${after}\n${lines}\n${names}\nUNSIGNED-PAYLOAD`;
    const signature = this.derivedKeys.sign(credential, scope, preamble + hash('sha256', canonicalRequest));
    // The parameters stand in the order in which they were signed: "X-Amz-Signature" is before "X-Amz-SignedHeaders".
    return `${url}?${before}&X-Amz-Signature=${signature}&${after}`;
  }

  #frontOf({ issuedAt, expiresInSeconds, region }: UrlTerms, { accessKeyId, sessionToken }: Credential): Front {
    const last = this.#front;
    const isLast =
      last?.issuedAt === issuedAt &&
      last.expiresInSeconds === expiresInSeconds &&
      last.region === region &&
      last.accessKeyId === accessKeyId &&
      last.sessionToken === sessionToken;
    if (isLast) return last;
    const time = this.#amzDate(issuedAt);
    const scope = scopeOf(time, region);
    const token = sessionToken === undefined ? '' : `&X-Amz-Security-Token=${escapeUri(sessionToken)}`;
    const text = `X-Amz-Algorithm=${ALGORITHM}&X-Amz-Content-Sha256=UNSIGNED-PAYLOAD&X-Amz-Credential=${escapeUri(`${accessKeyId}/${scope}`)}&X-Amz-Date=${time}&X-Amz-Expires=${expiresInSeconds}${token}`;
    const preamble = `${ALGORITHM}\n${time}\n${scope}\n`;
    this.#front = { issuedAt, expiresInSeconds, region, accessKeyId, sessionToken, scope, preamble, text };
    return this.#front;
  }

  /** Whatever is signed in one second has the same. */
  #amzDate(epochSeconds: number): string {
    if (this.#time.epochSeconds !== epochSeconds) this.#time = { epochSeconds, text: toAmzDate(epochSeconds) };
    return this.#time.text;
  }
}

/** Their names, in order, and a line for each. */
function canonicalHeaders(headers: UrlTerms['headers'], host: string): { names: string; lines: string } {
  const own = Object.keys(headers);
  if (own.length === 0) return { names: 'host', lines: `host:${host}\n` };
  const names = [...own, 'host'].sort();
  let lines = '';
  for (const name of names) lines += `${name}:${trimAll(headers[name] ?? host)}\n`;
  return { names: names.join(';'), lines };
}

/** The parameters behind the signature: S3's own begin with a small letter, and so stand last. */
function canonicalRest(signedHeaders: string, query: UrlTerms['query']): string {
  const names = Object.keys(query);
  if (names.length > 1) names.sort();
  let text = `X-Amz-SignedHeaders=${escapeUri(signedHeaders)}`;
  for (const name of names) text += `&${escapeUri(name)}=${escapeUri(query[name] ?? '')}`;
  return text;
}

/** SigV4's `Trimall`: no space around a header's value, and one between its words. */
const trimAll = (value: string): string => value.trim().replace(/\s+/g, ' ');
