import { decide, isSegment, lookupPaths } from '@countersign/permissions';
import type { Holding } from '@countersign/tenancy';
import type { Caller } from '../http/caller.js';

/** What somebody wants to do to which object, under which policy. */
export interface Question {
  action: 'read' | 'write';
  bucket: string;
  key: string;
  useCase: string;
}

/** What is read to answer it: the same for issuing and for asking beforehand. */
export function toRead({ tenantId, subject, groups }: Caller, { bucket, key, useCase }: Question) {
  const paths = lookupPaths(key);
  return { tenantId, subject, groups, bucket, useCase, paths, hasSegment: isSegment(subject) };
}

/** Why the caller may not, or null. The first reason is the same for a bucket that is not there and one in which the caller has nothing. */
export function refusalOf(
  holding: Holding,
  { action, key }: Question,
  { subject }: Caller,
): 'bucket-not-found' | 'not-granted' | null {
  if (!holding.bucket || !holding.holdsAnything) return 'bucket-not-found';
  const permission = decide(holding.grants, { action, key, subject });
  return permission.isAllowed ? null : permission.reason;
}
