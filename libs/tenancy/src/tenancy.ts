import { Injectable } from '@nestjs/common';
import { type Coalescer, Database, hotPathProblem } from '@countersign/database';
import type { Grant, Holding } from './holding.js';

export interface Asked {
  tenantId: string;
  subject: string;
  groups: readonly string[];
  bucket: string;
  useCase: string;
  /** The index entries that can hold a grant on the key. */
  paths: Iterable<string>;
  /** Whether the subject can stand where a prefix says `{sub}`. */
  hasSegment: boolean;
  /** Whether any of the keys is to be read: then those among the paths that are withheld are found. */
  reads: boolean;
}

/** A tenant's bucket under a use case, and all that is asked about it: what is there is read, and told, once. */
interface Place {
  n: number;
  tenantId: string;
  bucket: string;
  useCase: string;
  reads: boolean;
  asked: Question[];
}

/** One of those, under its place among all. */
interface Question {
  n: number;
  subject: string;
  groups: readonly string[];
  paths: string[];
  hasSegment: boolean;
}

type FoundPlace = Pick<Holding, 'now' | 'bucket' | 'useCase' | 'signingKey'> & {
  /** Null where there is no such bucket. */
  asked: Found[] | null;
  withheld: string[] | null;
};

/** A grant of who asked; of who has none that the paths lead to, one row without a grant. */
type Found = [n: number, ...(GrantFields | [null, null, null, null, null]), holdsAnything: boolean];

type GrantFields = [id: string, path: string, isPrefix: boolean, actions: Grant['actions'], effect: Grant['effect']];

/** What does their tenant hold? One batched read a request, and nothing is cached: a removed grant counts from the next one on. */
@Injectable()
export class Tenancy {
  readonly #reads: Coalescer<Asked, Holding>;

  constructor(database: Database) {
    this.#reads = database.coalescer(
      'find_holdings',
      async (requests) => {
        const places = toPlaces(requests);
        const rows = await database.call<{ n: number; holding: FoundPlace }>('find_holdings', places, requests.length);
        if (rows.length !== places.length) throw new Error('find_holdings left out a place');
        const holdings = Array.from<Holding>({ length: requests.length });
        for (const { n, holding } of rows) spread(holding, places[n]?.asked ?? [], holdings);
        return holdings;
      },
      2,
    );
  }

  /**
   * What is held, one result for each that is asked, in their order, all in one read.
   * @throws ProblemError `ledger-unavailable` while the database does not answer, `overloaded` while too many wait for it.
   */
  async findAll(asked: readonly Asked[]): Promise<readonly Holding[]> {
    try {
      return await this.#reads.requestAll(asked);
    } catch (cause) {
      throw hotPathProblem(cause);
    }
  }
}

function toPlaces(requests: readonly Asked[]): Place[] {
  const places = new Map<string, Place>();
  requests.forEach(({ tenantId, subject, groups, bucket, useCase, paths, hasSegment, reads }, n) => {
    // Neither name can hold a line break.
    const id = `${tenantId}\n${bucket}\n${useCase}`;
    let place = places.get(id);
    if (!place) {
      place = { n: places.size, tenantId, bucket, useCase, reads: false, asked: [] };
      places.set(id, place);
    }
    if (reads) place.reads = true;
    place.asked.push({ n, subject, groups, paths: [...paths], hasSegment });
  });
  return [...places.values()];
}

/** A holding for each that was asked: in a place that there is none of, they hold nothing. */
function spread(found: FoundPlace, questions: readonly Question[], holdings: Holding[]) {
  const { bucket, useCase, signingKey } = found;
  // In whole seconds, as SigV4 counts; a credential that dies within one is not believed for the rest of it.
  const now = Math.floor(found.now);
  if (typeof signingKey?.expiresAt === 'number') signingKey.expiresAt = Math.floor(signingKey.expiresAt);
  const withheld: ReadonlySet<string> = new Set(found.withheld);
  for (const { n } of questions)
    holdings[n] = { now, bucket, useCase, signingKey, grants: [], holdsAnything: false, withheld };
  for (const [n, id, path, isPrefix, actions, effect, holdsAnything] of found.asked ?? []) {
    const holding = holdings[n] as Holding;
    if (holdsAnything) holding.holdsAnything = true;
    if (id !== null) holding.grants.push({ id, path, isPrefix, actions, effect });
  }
}
