import { hash } from 'node:crypto';

/** A SHA-256 that is the same for what means the same as JSON, whatever the order of its names and the space between them. */
export function fingerprintOf(value: unknown): string {
  return hash('sha256', canonical(value, 0), 'base64url');
}

/** What is deeper than this no request may have. Attack: an item of a batch that is nested so deep that walking it overflows the stack. */
const MAX_DEPTH = 24;

function canonical(value: unknown, depth: number): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  if (depth > MAX_DEPTH) return '…';
  if (Array.isArray(value)) return `[${value.map((inner) => canonical(inner, depth + 1)).join(',')}]`;
  const names = Object.keys(value).sort();
  const members = names.map(
    (name) => `${JSON.stringify(name)}:${canonical((value as Record<string, unknown>)[name], depth + 1)}`,
  );
  return `{${members.join(',')}}`;
}
