import { hash } from 'node:crypto';
import type { UrlTerms } from './entry.js';

/**
 * Names the URLs of these terms: equal ones are the same URL, byte for byte. A UUID each (RFC 9562 §5.8), made of all that is signed and of
 * nothing that signs, so no signature can be told from it.
 */
export function urlIds(terms: UrlTerms): string[] {
  const { method, query, headQuery } = terms;
  const id = idOf(terms, method, query);
  return headQuery ? [id, idOf(terms, 'HEAD', headQuery)] : [id];
}

function idOf(
  { url, region, headers, issuedAt, expiresInSeconds, signingKeyId }: UrlTerms,
  method: string,
  query: Readonly<Record<string, string>>,
): string {
  const signed = [method, url, region, issuedAt, expiresInSeconds, signingKeyId, inOrder(headers), inOrder(query)];
  const digest = hash('sha256', JSON.stringify(signed));
  return `${digest.slice(0, 8)}-${digest.slice(8, 12)}-8${digest.slice(13, 16)}-8${digest.slice(17, 20)}-${digest.slice(20, 32)}`;
}

/** They are signed by name. */
const inOrder = (fields: Readonly<Record<string, string>>) =>
  Object.keys(fields)
    .sort()
    .map((name) => [name, fields[name]]);
