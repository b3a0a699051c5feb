// A hand-made SigV4 presigner for path-style URLs, as short as it can be: the signing key is kept for the day, the names of the query are
// in order already. What it gives is byte for byte what getSignedUrl gives, which test/bench/peers.spec.ts checks.
import crypto from 'node:crypto';

const UNRESERVED = /^[A-Za-z0-9\-._~/]*$/;

export class Signer {
  #day = '';
  #second = 0;
  #date = '';

  /** @param store { endpoint, region, bucket, accessKeyId, secretAccessKey } */
  constructor({ endpoint, region, bucket, accessKeyId, secretAccessKey }) {
    const { origin, host } = new URL(endpoint);
    Object.assign(this, { origin, host, region, bucket, accessKeyId, secretAccessKey });
  }

  /** The address of an object: its URL without a query. */
  address(key) {
    return `${this.origin}/${this.bucket}/${encodePath(key)}`;
  }

  download(key, expiresInSeconds, now = Date.now()) {
    return this.#presign('GET', key, expiresInSeconds, now, 'GetObject', `host:${this.host}\n`, 'host');
  }

  upload(key, expiresInSeconds, { contentType, contentLength }, now = Date.now()) {
    const headers = `content-length:${contentLength}\ncontent-type:${contentType}\nhost:${this.host}\nif-none-match:*\nx-amz-acl:private\n`;
    const names = 'content-length;content-type;host;if-none-match;x-amz-acl';
    return this.#presign('PUT', key, expiresInSeconds, now, 'PutObject', headers, names);
  }

  #presign(method, key, expiresInSeconds, now, operation, headers, names) {
    this.#tick(now);
    const path = `/${this.bucket}/${encodePath(key)}`;
    const before = `X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Content-Sha256=UNSIGNED-PAYLOAD&X-Amz-Credential=${this.credential}&X-Amz-Date=${this.#date}&X-Amz-Expires=${expiresInSeconds}`;
    const after = `X-Amz-SignedHeaders=${names.replaceAll(';', '%3B')}&x-id=${operation}`;
    const canonical = `${method}\n${path}\n${before}&${after}\n${headers}\n${names}\nUNSIGNED-PAYLOAD`;
    const toSign = `AWS4-HMAC-SHA256\n${this.#date}\n${this.scope}\n${sha256(canonical)}`;
    const signature = crypto.createHmac('sha256', this.signingKey).update(toSign).digest('hex');
    return `${this.origin}${path}?${before}&X-Amz-Signature=${signature}&${after}`;
  }

  #tick(now) {
    const second = Math.floor(now / 1000);
    if (second === this.#second) return;
    this.#second = second;
    this.#date = new Date(second * 1000).toISOString().replace(/[:-]|\.\d{3}/g, '');
    const day = this.#date.slice(0, 8);
    if (day === this.#day) return;
    this.#day = day;
    const parts = [day, this.region, 's3', 'aws4_request'];
    const derived = parts.reduce((key, part) => hmac(key, part), `AWS4${this.secretAccessKey}`);
    this.signingKey = crypto.createSecretKey(derived);
    this.scope = parts.join('/');
    this.credential = encodeURIComponent(`${this.accessKeyId}/${this.scope}`);
  }
}

const hmac = (key, text) => crypto.createHmac('sha256', key).update(text).digest();

const sha256 = crypto.hash
  ? (text) => crypto.hash('sha256', text, 'hex')
  : (text) => crypto.createHash('sha256').update(text).digest('hex');

function encodePath(key) {
  return UNRESERVED.test(key) ? key : key.split('/').map(encodeSegment).join('/');
}

const encodeSegment = (text) =>
  encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
