import { ProblemError, type FieldError } from '@countersign/errors';

/** Deep nesting overflows the stack of whatever walks it. */
const MAX_DEPTH = 16;

/** Names that reach an object's prototype where code copies properties, or that such code leaves out without a word. */
export const FORBIDDEN_NAMES: ReadonlySet<string> = new Set([
  ...Object.getOwnPropertyNames(Object.prototype),
  'prototype',
]);

/** The JSON in these bytes (RFC 8259 §8.1: in UTF-8, and bytes that are none are never replaced), or undefined where there are none. @throws ProblemError */
export function parseJson(bytes: Buffer): unknown {
  if (bytes.length === 0) return undefined;
  try {
    return JSON.parse(UTF8.decode(bytes));
  } catch {
    throw new ProblemError('invalid-request', 'The body is not valid JSON in UTF-8.');
  }
}

/** It keeps nothing of what it decodes. */
const UTF8 = new TextDecoder('utf-8', { fatal: true });

/** What no request may have, whatever its fields are: a name of a prototype, or a depth that overflows. */
export function structureFault(value: unknown, pointer = '', depth = 0): FieldError | null {
  if (!isNested(value)) return null;
  if (depth >= MAX_DEPTH) return { pointer, message: `is nested more than ${MAX_DEPTH} deep` };
  for (const name of Object.keys(value)) {
    const isForbidden = FORBIDDEN_NAMES.has(name);
    if (!isForbidden && !isNested(value[name])) continue;
    const at = `${pointer}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
    if (isForbidden) return { pointer: at, message: 'is not a field of this request' };
    const fault = structureFault(value[name], at, depth + 1);
    if (fault) return fault;
  }
  return null;
}

const isNested = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
