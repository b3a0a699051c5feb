import { createHmac, sign, type KeyObject } from 'node:crypto';

type Signature = (input: Buffer) => Buffer;

/** A compact JWS (RFC 7515 §7.1) of whatever it is given: no library that would refuse to make it stands between. */
export function forge(header: object, claims: object | string, signature: Signature): string {
  const encode = (part: object | string) =>
    Buffer.from(typeof part === 'string' ? part : JSON.stringify(part)).toString('base64url');
  const input = `${encode(header)}.${encode(claims)}`;
  return `${input}.${signature(Buffer.from(input)).toString('base64url')}`;
}

export const es256 =
  (key: KeyObject): Signature =>
  (input) =>
    sign('sha256', input, { key, dsaEncoding: 'ieee-p1363' });

export const rsa =
  (key: KeyObject, hash: string): Signature =>
  (input) =>
    sign(hash, input, key);

export const hs256 =
  (secret: string | Buffer): Signature =>
  (input) =>
    createHmac('sha256', secret).update(input).digest();

export const unsigned: Signature = () => Buffer.alloc(0);
