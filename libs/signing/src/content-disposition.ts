import format from 'content-disposition';

/**
 * A Content-Disposition value (RFC 6266), with the filename as it is in `filename*` (RFC 8187) and, for old clients, with `_` for whatever is
 * not ASCII in `filename`. Latin-1 is not used: stores give the value back as UTF-8, and a raw `é` would arrive as two letters.
 */
export function contentDisposition(type: 'attachment' | 'inline', filename?: string): string {
  if (filename === undefined) return type;
  return format(filename, { type, fallback: filename.replace(/[^\u0020-\u007e]/gu, '_') });
}
