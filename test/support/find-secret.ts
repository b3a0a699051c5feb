/**
 * The encoding in which a text holds a secret, or null: in clear, as it stands in JSON or in a URL, in hex, or in base64 or base64url at any
 * of the three places that it can have within a longer text.
 */
export function findSecret(text: string, secret: string): string | null {
  const bytes = Buffer.from(secret);
  const forms: [string, string, string][] = [
    ['clear', text, secret],
    ['JSON', text, JSON.stringify(secret).slice(1, -1)],
    ['URL', text.toLowerCase(), encodeURIComponent(secret).toLowerCase()],
    ['hex', text.toLowerCase(), bytes.toString('hex')],
    ...[0, 1, 2].map((offset): [string, string, string] => ['base64', unwrapped(text), insideBase64(bytes, offset)]),
  ];
  return forms.find(([, haystack, needle]) => haystack.includes(needle))?.[0] ?? null;
}

/** Both alphabets as one (RFC 4648 §5). */
const unwrapped = (text: string): string => text.replaceAll('-', '+').replaceAll('_', '/');

/** The characters of a base64 text that these bytes alone decide, where `offset` bytes (modulo 3) stand before them. */
function insideBase64(bytes: Buffer, offset: number): string {
  const text = Buffer.concat([Buffer.alloc(offset), bytes])
    .toString('base64')
    .replaceAll('=', '');
  const isCut = (offset + bytes.length) % 3 !== 0;
  return text.slice(Math.ceil((offset * 4) / 3), isCut ? -1 : undefined);
}
