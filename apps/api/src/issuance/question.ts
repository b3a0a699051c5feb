import { ProblemError } from '@countersign/errors';
import { decide, isSegment, lookupPaths } from '@countersign/permissions';
import type { Asked, Holding, Tenancy } from '@countersign/tenancy';
import type { Caller } from '../http/caller.js';

/** What somebody wants to do to which object, under which policy. */
export interface Question {
  action: 'read' | 'write';
  bucket: string;
  key: string;
  useCase: string;
}

/**
 * What is read to answer a caller's questions, in one read: the same for issuing and for asking beforehand. Questions about one bucket
 * under one use case share a holding, whose grants are those of all their keys.
 * @throws ProblemError `body-too-large` for keys that have too many ancestors in all
 */
export async function findHoldings(
  tenancy: Tenancy,
  { tenantId, subject, groups }: Caller,
  questions: readonly Question[],
): Promise<Holding[]> {
  const hasSegment = isSegment(subject);
  let characters = 0;
  const shared = new Map<string, { place: number; asked: Asked; paths: Set<string>; parent: string | null }>();
  const places = questions.map(({ action, bucket, key, useCase }) => {
    // Neither name can hold a line break.
    const id = `${bucket}\n${useCase}`;
    let entry = shared.get(id);
    if (!entry) {
      const paths = new Set<string>();
      const asked = { tenantId, subject, groups, bucket, useCase, paths, hasSegment, reads: false };
      entry = { place: shared.size, asked, paths, parent: null };
      shared.set(id, entry);
    }
    if (action === 'read') entry.asked.reads = true;
    // Of a neighbour in the same folder all but the key itself is known.
    const parent = key.slice(0, key.lastIndexOf('/') + 1);
    for (const path of parent === entry.parent ? [key] : lookupPaths(key)) {
      if (entry.paths.has(path)) continue;
      entry.paths.add(path);
      characters += path.length;
    }
    entry.parent = parent;
    // Attack: a batch of keys of five hundred segments each has gigabytes of ancestors.
    if (characters > MAX_PATH_CHARACTERS) throw tooDeep();
    return entry.place;
  });
  const holdings = await tenancy.findAll([...shared.values()].map(({ asked }) => asked));
  return places.map((place) => holdings[place] as Holding);
}

/** Of the ancestors of all the keys that are asked about together; a thousand keys of a usual depth have a twentieth of it. */
const MAX_PATH_CHARACTERS = 4_000_000;

const tooDeep = () =>
  new ProblemError(
    'body-too-large',
    'The keys have too many segments to be looked up together: ask for fewer at once.',
  );

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

/** Whether what the caller wants to read must be verified first. Whoever may not read it anyway is not told. */
export const isWithheld = ({ withheld }: Holding, { action, key }: Question): boolean =>
  action === 'read' && withheld.has(key);
