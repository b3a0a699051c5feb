import { invalid } from './request-validation.pipe.js';

/** A page of a list that was read with one item more than its limit. */
export function toPage<Row, Item>(
  rows: Row[],
  limit: number,
  toItem: (row: Row) => Item,
  toCursor: (row: Row) => readonly string[],
) {
  const last = rows.length > limit ? rows[limit - 1] : undefined;
  return {
    items: rows.slice(0, limit).map(toItem),
    nextCursor: last === undefined ? null : Buffer.from(JSON.stringify(toCursor(last))).toString('base64url'),
  };
}

/** The position that a cursor stands for: as many strings, each of its pattern. @throws ProblemError for one that we did not make. */
export function readCursor(cursor: string | undefined, patterns: readonly RegExp[]): string[] | null {
  if (cursor === undefined) return null;
  try {
    const parts: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    if (Array.isArray(parts) && parts.length === patterns.length) {
      if (parts.every((part, index) => typeof part === 'string' && patterns[index]?.test(part)))
        return parts as string[];
    }
  } catch {
    // Falls through: not ours.
  }
  throw invalid([{ pointer: '/cursor', message: 'must be the nextCursor of an earlier page' }]);
}

export const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** What a registered name looks like in a cursor or a path. */
export const NAME = /^[a-z0-9._-]{1,63}$/;
