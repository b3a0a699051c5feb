import { Injectable } from '@nestjs/common';
import { type Coalescer, Database, hotPathProblem } from '@countersign/database';
import type { Holding } from './holding.js';

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
  asked: Question[];
}

/** One of those, under its place among all. */
interface Question {
  n: number;
  subject: string;
  groups: readonly string[];
  paths: string[];
  hasSegment: boolean;
  reads: boolean;
}

type FoundPlace = Pick<Holding, 'now' | 'bucket' | 'useCase' | 'signingKey'> & { asked: Found[] | null };

interface Found {
  n: number;
  grants: Holding['grants'] | null;
  holdsAnything: boolean;
  withheld: string[] | null;
}

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
      place = { n: places.size, tenantId, bucket, useCase, asked: [] };
      places.set(id, place);
    }
    place.asked.push({ n, subject, groups, paths: [...paths], hasSegment, reads });
  });
  return [...places.values()];
}

/** A holding for each that was asked: in a place that there is none of, they hold nothing. */
function spread({ now, bucket, useCase, signingKey, asked }: FoundPlace, questions: Question[], holdings: Holding[]) {
  // In whole seconds, as SigV4 counts; a credential that dies within one is not believed for the rest of it.
  const seconds = Math.floor(now);
  if (typeof signingKey?.expiresAt === 'number') signingKey.expiresAt = Math.floor(signingKey.expiresAt);
  const nothing = { grants: null, holdsAnything: false, withheld: null };
  for (const { n, grants, holdsAnything, withheld } of asked ?? questions.map(({ n }) => ({ n, ...nothing }))) {
    holdings[n] = {
      now: seconds,
      bucket,
      useCase,
      signingKey,
      grants: grants ?? [],
      holdsAnything,
      withheld: withheld ? new Set(withheld) : NONE,
    };
  }
}

const NONE: ReadonlySet<string> = new Set();
