import { createHash, createHmac, type Hash, type Hmac } from 'node:crypto';
import { SignatureV4 } from '@smithy/signature-v4';
import { type Answer, issuerFetch } from './issuer-fetch.js';

/** Where Ceph's Admin Ops API is, and who may use it. */
export interface CephAdmin {
  endpoint: string;
  accessKeyId: string;
  secretAccessKey: string;
}

/**
 * One call of Ceph's Admin Ops API about users, signed (https://docs.ceph.com/en/latest/radosgw/adminops/). A parameter without a value, such
 * as `key`, is an empty one.
 * @throws KeyIssuerError `unknown` where there is no answer.
 */
export async function callCephAdmin(
  { endpoint, ...credentials }: CephAdmin,
  method: 'GET' | 'PUT' | 'DELETE',
  parameters: Record<string, string>,
  signal: AbortSignal,
): Promise<Answer> {
  const url = new URL('/admin/user', endpoint);
  const query = { ...parameters, format: 'json' };
  url.search = new URLSearchParams(query).toString().replaceAll('+', '%20');
  // Ceph looks at no region.
  const signer = new SignatureV4({
    service: 's3',
    region: 'us-east-1',
    uriEscapePath: false,
    credentials,
    sha256: Sha256,
  });
  const { headers } = await signer.sign({
    method,
    protocol: url.protocol,
    hostname: url.hostname,
    path: url.pathname,
    query,
    headers: { host: url.host },
  });
  return issuerFetch(url, { method, headers }, signal);
}

/** SHA-256, or its HMAC where a secret is given, as the signer wants it. */
class Sha256 {
  readonly #secret: string | Uint8Array | undefined;
  #hash: Hash | Hmac;

  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#secret = secret === undefined || typeof secret === 'string' ? secret : bytesOf(secret);
    this.#hash = this.#create();
  }

  update(data: Uint8Array): void {
    this.#hash.update(data);
  }

  digest(): Promise<Uint8Array> {
    return Promise.resolve(this.#hash.digest());
  }

  reset(): void {
    this.#hash = this.#create();
  }

  #create(): Hash | Hmac {
    return this.#secret === undefined ? createHash('sha256') : createHmac('sha256', this.#secret);
  }
}

function bytesOf(data: ArrayBuffer | ArrayBufferView): Uint8Array {
  return ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    : new Uint8Array(data);
}
