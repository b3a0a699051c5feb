import { createHash } from 'node:crypto';
import { Transform } from 'node:stream';
import zlib from 'node:zlib';
import { S3Error } from './s3-error.js';
import { UNSIGNED_PAYLOAD } from './signature/claimed-signature.js';

/** What was promised about a body; a promise that was not made is undefined. */
export interface BodyPromises {
  /** As signed: hex SHA-256, or UNSIGNED-PAYLOAD. */
  payloadHash: string;
  contentMd5: string | undefined;
  checksumSha256: string | undefined;
  checksumSha1: string | undefined;
  checksumCrc32: string | undefined;
}

/** Collects from the request's headers what its body must turn out to be; a malformed digest is refused now. */
export function readPromises(headers: Record<string, string>, payloadHash: string): BodyPromises {
  return {
    payloadHash,
    contentMd5: digest(headers['content-md5'], 16),
    checksumSha256: digest(headers['x-amz-checksum-sha256'], 32),
    checksumSha1: digest(headers['x-amz-checksum-sha1'], 20),
    checksumCrc32: digest(headers['x-amz-checksum-crc32'], 4),
  };
}

/** Passes a body through unchanged; ends with an error, and so without an end, when it is not what was promised. */
export class VerifiedBody extends Transform {
  size = 0;
  readonly #md5 = createHash('md5');
  readonly #sha256 = createHash('sha256');
  readonly #sha1 = createHash('sha1');
  #crc32 = 0;

  constructor(private readonly promises: BodyPromises) {
    super();
  }

  /** Known once the body has ended. */
  md5Hex = '';

  override _transform(chunk: Buffer, _encoding: string, done: (error: Error | null, chunk?: Buffer) => void): void {
    this.size += chunk.length;
    this.#md5.update(chunk);
    this.#sha256.update(chunk);
    if (this.promises.checksumSha1) this.#sha1.update(chunk);
    if (this.promises.checksumCrc32) this.#crc32 = zlib.crc32(chunk, this.#crc32);
    done(null, chunk);
  }

  override _flush(done: (error: Error | null) => void): void {
    const md5 = this.#md5.digest();
    const sha256 = this.#sha256.digest();
    this.md5Hex = md5.toString('hex');
    done(this.#firstBroken(md5, sha256));
  }

  #firstBroken(md5: Buffer, sha256: Buffer): S3Error | null {
    const { payloadHash, contentMd5, checksumSha256, checksumSha1, checksumCrc32 } = this.promises;
    if (payloadHash !== UNSIGNED_PAYLOAD && payloadHash !== sha256.toString('hex')) {
      return new S3Error('XAmzContentSHA256Mismatch', 'The body is not the one whose SHA-256 was signed.');
    }
    if (contentMd5 && contentMd5 !== md5.toString('base64')) {
      return new S3Error('BadDigest', 'The Content-MD5 you specified did not match what we received.');
    }
    if (checksumSha256 && checksumSha256 !== sha256.toString('base64')) return checksumMismatch('sha256');
    if (checksumSha1 && checksumSha1 !== this.#sha1.digest('base64')) return checksumMismatch('sha1');
    if (checksumCrc32 && checksumCrc32 !== crcBase64(this.#crc32)) return checksumMismatch('crc32');
    return null;
  }
}

function digest(value: string | undefined, bytes: number): string | undefined {
  if (value === undefined) return undefined;
  const decoded = Buffer.from(value, 'base64');
  if (decoded.length === bytes && decoded.toString('base64') === value) return value;
  throw new S3Error('InvalidDigest', 'A digest of the body is not the base64 of the right length.');
}

function crcBase64(crc: number): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(crc);
  return bytes.toString('base64');
}

/** AWS answers BadDigest here too; the code says which promise was broken. */
function checksumMismatch(algorithm: string): S3Error {
  return new S3Error('XAmzContentChecksumMismatch', `x-amz-checksum-${algorithm} did not match what we received.`);
}
