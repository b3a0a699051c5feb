/** RFC 9110 §8.3.1: type "/" subtype, then parameters whose values are tokens or quoted strings. */
const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const MEDIA_TYPE = new RegExp(`^${TOKEN}/${TOKEN}(?:[ \\t]*;[ \\t]*${TOKEN}=(?:${TOKEN}|"[\\t !#-\\[\\]-~]*"))*$`);

/** What is wrong with a content type, or null. It goes into a signed header as it is, so a comma or a line break must not pass. */
export function contentTypeFault(contentType: string): string | null {
  if (contentType.length > 255) return 'must be at most 255 characters';
  return MEDIA_TYPE.test(contentType) ? null : 'must be a media type such as "image/png" (RFC 9110 section 8.3.1)';
}

/** The type without its parameters, in lower case: `text/html` of `Text/HTML; charset=utf-8`. */
export function essenceOf(contentType: string): string {
  return (contentType.split(';', 1)[0] ?? '').trim().toLowerCase();
}

/** Whether a use case's list allows a content type. An empty list allows any; `image/*` allows every image. */
export function allowsContentType(allowed: readonly string[], contentType: string): boolean {
  const essence = essenceOf(contentType);
  const range = `${essence.slice(0, essence.indexOf('/'))}/*`;
  return allowed.length === 0 || allowed.includes(essence) || allowed.includes(range);
}

/**
 * Whether a browser would run what it is given as this type: a page or script of an attacker's, in the origin of the bucket. XML
 * in all its forms counts (style sheets run script), and so does what a browser sniffs or a plug-in runs.
 */
export function isActive(contentType: string): boolean {
  const essence = essenceOf(contentType);
  return ACTIVE.has(essence) || essence.endsWith('+xml') || essence.endsWith('script');
}

const ACTIVE = new Set([
  'text/html',
  'text/xml',
  'text/xsl',
  'text/cache-manifest',
  'application/xml',
  'application/xml-dtd',
  'application/mathml',
  'application/xslt',
  'application/x-shockwave-flash',
  'application/hta',
  'application/wasm',
  'multipart/x-mixed-replace',
  'multipart/related',
  'message/rfc822',
  'text/x-component',
]);

/** What a key's extension says that a browser will be given, or null where it says nothing that is known. */
export function contentTypeOfKey(key: string): string | null {
  const name = key.slice(key.lastIndexOf('/') + 1);
  const extension = name.slice(name.lastIndexOf('.') + 1).toLowerCase();
  return name.includes('.') ? (BY_EXTENSION.get(extension) ?? null) : null;
}

const BY_EXTENSION = new Map(
  Object.entries({
    'text/html': 'html htm shtml hta',
    'application/xhtml+xml': 'xhtml xht',
    'application/xml': 'xml xsl xslt xsd rdf rss atom mml',
    'image/svg+xml': 'svg svgz',
    'text/javascript': 'js mjs cjs',
    'application/x-shockwave-flash': 'swf',
    'message/rfc822': 'mht mhtml eml',
    'application/wasm': 'wasm',
    'image/png': 'png',
    'image/jpeg': 'jpg jpeg',
    'image/gif': 'gif',
    'image/webp': 'webp',
    'image/avif': 'avif',
    'application/pdf': 'pdf',
    'text/plain': 'txt log',
    'text/csv': 'csv',
    'application/json': 'json',
    'audio/mpeg': 'mp3',
    'audio/ogg': 'ogg oga',
    'audio/wav': 'wav',
    'video/mp4': 'mp4 m4v',
    'video/webm': 'webm',
  }).flatMap(([type, extensions]) => extensions.split(' ').map((extension) => [extension, type] as const)),
);
