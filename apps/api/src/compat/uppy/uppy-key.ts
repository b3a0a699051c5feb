import { hash, randomUUID } from 'node:crypto';
import type { ProblemError } from '@countersign/errors';
import { isSegment } from '@countersign/permissions';
import { invalid } from '../../http/request-validation.pipe.js';
import { keyOf } from '../../upload-url/upload-key.js';
import type { Caller } from '../../http/caller.js';
import type { Once } from '../../idempotency/once.js';
import type { UppyFile } from './uppy-file.js';

/** Where a file goes: as its metadata says, or to the caller's own folder, under a name that nothing else has; of a request that is repeated, the same. */
export function uppyKey(
  { tenantId, subject }: Pick<Caller, 'tenantId' | 'subject'>,
  { filename, metadata: { key, prefix } }: UppyFile,
  once: Once | null,
): string | ProblemError {
  if (key !== undefined) return keyOf({ key, prefix });
  if (prefix !== undefined) return keyOf({ prefix, filename });
  if (!isSegment(subject)) return invalid([{ pointer: '/metadata/key', message: NO_FOLDER }]);
  return keyOf({
    prefix: `users/${subject}/`,
    filename: `${once ? uuidFor(tenantId, subject, once) : randomUUID()}-${filename}`,
  });
}

/** RFC 9562 §5.8. */
function uuidFor(tenantId: string, subject: string, { key, fingerprint }: Once): string {
  const digits = hash('sha256', JSON.stringify([tenantId, subject, key, fingerprint]));
  return digits.replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12}).*$/, '$1-$2-8$3-8$4-$5');
}

const NO_FOLDER = "must be given, or prefix: no folder can be called as the token's subject";
