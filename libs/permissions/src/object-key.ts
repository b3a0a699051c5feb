/** The most bytes that S3 takes in a key (Amazon S3 User Guide, "Naming Amazon S3 objects"). */
const MAX_KEY_BYTES = 1024;

/** C0, DEL and C1 controls, and the backslash that some clients turn into a slash. */
const FORBIDDEN = /[\u0000-\u001f\u007f-\u009f\\]/;

/** Printable ASCII but the backslash, as most keys are: well-formed, in NFC, and a byte each. */
const PLAIN = /^[ -[\]-~]*$/;

/** An empty, `.` or `..` segment. */
const NO_SEGMENT = /(?:^|\/)\.{0,2}(?:\/|$)/;

/**
 * What is wrong with an object's key, or null: 1 to 1,024 UTF-8 bytes, well-formed, NFC, no control character, no backslash, and
 * no empty, `.` or `..` segment. A key is refused, never repaired: repaired keys let two names reach one object, and a key that
 * `new URL()` would rewrite (`a/../b`) reaches another object than the one that was checked.
 */
export function keyFault(key: string): string | null {
  if (key === '') return 'must not be empty';
  const fault = textFault(key);
  if (fault) return fault;
  if (key.startsWith('/')) return 'must not start with "/"';
  if (NO_SEGMENT.test(key)) return 'must not have an empty, "." or ".." segment';
  return null;
}

/** What is wrong with a prefix, or null: empty (the whole bucket), or a key that ends in `/`. */
export function prefixFault(prefix: string): string | null {
  if (prefix === '') return null;
  return prefix.endsWith('/') ? keyFault(prefix.slice(0, -1)) : 'must be empty or end with "/"';
}

/** What is wrong with a filename, or null: it is one segment of a key. */
export function filenameFault(filename: string): string | null {
  return filename.includes('/') ? 'must not contain "/"' : keyFault(filename);
}

/** Whether a text is one valid segment of a key, and so may stand where a grant says `{sub}`. */
export function isSegment(text: string): boolean {
  return filenameFault(text) === null;
}

function textFault(text: string): string | null {
  if (PLAIN.test(text)) return text.length > MAX_KEY_BYTES ? TOO_LONG : null;
  if (!isWellFormed(text)) return 'must be well-formed Unicode: it has a lone surrogate';
  if (FORBIDDEN.test(text)) return 'must not contain control characters or a backslash';
  if (text.normalize('NFC') !== text) return 'must be in Unicode normalisation form NFC';
  return utf8Length(text) > MAX_KEY_BYTES ? TOO_LONG : null;
}

const TOO_LONG = `must be at most ${MAX_KEY_BYTES} bytes of UTF-8`;

const isWellFormed = (text: string): boolean => !/\p{Surrogate}/u.test(text);

function utf8Length(text: string): number {
  let bytes = 0;
  for (const character of text) {
    const codePoint = character.codePointAt(0) ?? 0;
    bytes += codePoint < 0x80 ? 1 : codePoint < 0x800 ? 2 : codePoint < 0x1_0000 ? 3 : 4;
  }
  return bytes;
}
