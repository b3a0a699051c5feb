import { S3Error } from './s3-error.js';

/** What a request line points at, decoded exactly once: the signature, the checks and the store all read this. */
export interface RequestTarget {
  bucket: string | undefined;
  key: string | undefined;
  /** Percent-encoded anew from the decoded path, the only form that is signed and passed on. */
  path: string;
  query: ReadonlyMap<string, string>;
}

/** Reads a path-style request target, or refuses it: what is ambiguous is never repaired. */
export function parseTarget(url: string): RequestTarget {
  if (!url.startsWith('/') || !/^[\x21-\x7e]*$/.test(url)) throw invalidUri();
  const cut = url.indexOf('?');
  const decodedPath = decode(cut < 0 ? url : url.slice(0, cut));
  const query = parseQuery(cut < 0 ? '' : url.slice(cut + 1));

  const [, bucket = '', ...rest] = decodedPath.split('/');
  const key = rest.join('/');
  if (bucket === '' && decodedPath !== '/') throw invalidUri();
  if (bucket !== '') checkBucketName(bucket);
  if (key !== '') checkKey(key);
  return {
    bucket: bucket || undefined,
    key: key || undefined,
    path: decodedPath.split('/').map(encodeRfc3986).join('/'),
    query,
  };
}

/** SigV4, "Create a canonical request": everything but A-Z a-z 0-9 - . _ ~ is percent-encoded, in upper case. */
export function encodeRfc3986(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function parseQuery(text: string): ReadonlyMap<string, string> {
  const query = new Map<string, string>();
  const seen = new Set<string>();
  for (const pair of text.split('&')) {
    if (pair === '') continue;
    const [name = '', ...value] = pair.replaceAll('+', ' ').split('=').map(decode);
    // Attack: two values for one name, of which one layer reads the first and the next layer the second.
    if (seen.has(name.toLowerCase())) throw new S3Error('InvalidArgument', 'A query parameter occurs twice.');
    seen.add(name.toLowerCase());
    query.set(name, value.join('='));
  }
  return query;
}

/** Dots alone would be a directory above the store. */
function checkBucketName(bucket: string): void {
  if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(bucket) || bucket.includes('..')) {
    throw new S3Error('InvalidBucketName', 'The specified bucket is not valid.');
  }
}

/** s3rver appends a suffix such as `._S3rver_metadata.json` to the last segment, and a file name has 255 bytes. */
const MAX_SEGMENT_BYTES = 230;
const OWN_FILES = '._S3rver_';

/** Attack: `..`, encoded or not, writes outside the bucket's directory; `a//b` and `a/./b` are other names for `a/b`. */
function checkKey(key: string): void {
  if (Buffer.byteLength(key) > 1024) throw new S3Error('KeyTooLongError', 'Your key is too long.');
  for (const segment of key.split('/')) {
    if (segment === '' || segment === '.' || segment === '..') {
      throw new S3Error('InvalidArgument', 'A key has no empty, . or .. segment.');
    }
    if (/[\p{Cc}\\]/u.test(segment) || segment.includes(OWN_FILES)) {
      throw new S3Error('InvalidArgument', `A key has no control character, no backslash and no ${OWN_FILES}.`);
    }
    if (Buffer.byteLength(segment) > MAX_SEGMENT_BYTES) {
      throw new S3Error('KeyTooLongError', `This store keeps keys of segments up to ${MAX_SEGMENT_BYTES} bytes.`);
    }
  }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw invalidUri();
  }
}

function invalidUri(): S3Error {
  return new S3Error('InvalidURI', "Couldn't parse the specified URI.");
}
