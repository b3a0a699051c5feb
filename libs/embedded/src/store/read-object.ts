import { objectOf, type Exchange } from './exchange.js';
import { namesEtag } from './object-store.js';
import { S3Error } from './s3-error.js';

/** Headers that a signer may force upon the answer: what AWS's GetObject knows. */
const FORCED = new Set([
  'content-type',
  'content-language',
  'expires',
  'cache-control',
  'content-disposition',
  'content-encoding',
]);

/**
 * Prepares a GET or HEAD so that s3rver answers it rightly; gives the Range to pass on, or 'answered' when the
 * client's copy is still good.
 */
export async function prepareRead(exchange: Exchange): Promise<{ range: string | undefined } | 'answered'> {
  const { headers, response, target, store } = exchange;
  checkForcedHeaders(target.query);
  const { etag, ...metadata } = await store.find(await objectOf(exchange), headers['if-match']);
  // Here, as s3rver's 304 never closes the file that it has opened.
  if (isStillGood(headers, etag, metadata['last-modified'])) {
    response.writeHead(304, { ETag: etag, 'Last-Modified': metadata['last-modified'] }).end();
    return 'answered';
  }
  const wanted = headers['if-range'] === undefined ? headers['range'] : undefined;
  return { range: normaliseRange(wanted, metadata['content-length']) };
}

/** Attack: a control character in a forced header splits the response. */
function checkForcedHeaders(query: ReadonlyMap<string, string>): void {
  for (const [name, value] of query) {
    if (!name.startsWith('response-')) continue;
    const isAllowed = FORCED.has(name.slice('response-'.length)) && /^[\t\x20-\x7e\xa0-\xff]*$/.test(value);
    if (!isAllowed) throw new S3Error('InvalidArgument', `${name} cannot be forced, or not to this value.`);
  }
}

/** RFC 9110 §13.2.2: If-None-Match counts before If-Modified-Since. */
function isStillGood(headers: Record<string, string>, etag: string, lastModified: string): boolean {
  const noneMatch = headers['if-none-match'];
  if (noneMatch !== undefined) return namesEtag(noneMatch, etag);
  return Date.parse(headers['if-modified-since'] ?? '') >= Date.parse(lastModified);
}

/**
 * RFC 9110 §14.1.2. s3rver takes the suffix `-5` for the range 0-5, and promises one byte of an empty object; a range
 * that it cannot read is ignored, as the section asks.
 */
function normaliseRange(range: string | undefined, size: number): string | undefined {
  const [, first = '', last = ''] = /^bytes=(\d*)-(\d*)$/.exec(range ?? '') ?? [];
  if (first === '' && last === '') return undefined;
  const start = first === '' ? Math.max(0, size - Number(last)) : Number(first);
  const end = first === '' || last === '' ? size - 1 : Number(last);
  if (first !== '' && last !== '' && end < start) return undefined;
  if (start >= size || end < start) {
    throw new S3Error('InvalidRange', 'The requested range is not satisfiable', { ActualObjectSize: String(size) });
  }
  return `bytes=${start}-${Math.min(end, size - 1)}`;
}
