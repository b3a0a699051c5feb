import { ProblemError } from '@countersign/errors';
import { UUID } from './paging.js';

/** Administration goes by scope: what is not this tenant's is not there, whatever it is called. */
export const notFound = (what: string): ProblemError => new ProblemError('not-found', `There is no such ${what}.`);

/** An id of a path. One that is not well-formed names nothing. */
export function idOrNotFound(id: string, what: string): string {
  if (!UUID.test(id)) throw notFound(what);
  return id;
}
