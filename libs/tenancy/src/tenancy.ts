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

/** As the database gives it. */
type FoundHolding = Omit<Holding, 'withheld'> & { withheld: string[] | null };

/** What does their tenant hold? One batched read a request, and nothing is cached: a removed grant counts from the next one on. */
@Injectable()
export class Tenancy {
  readonly #reads: Coalescer<Asked, Holding>;

  constructor(database: Database) {
    this.#reads = database.coalescer(
      'find_holdings',
      async (requests) => {
        const firsts = firstOfEach(requests);
        const rows = await database.call<{ n: number; holding: FoundHolding }>(
          'find_holdings',
          requests.map((asked, n) => toParameters(asked, n, firsts[n] ?? n)),
        );
        const found: FoundHolding[] = [];
        for (const { n, holding } of rows) found[n] = holding;
        return requests.map((_, n) => toHolding(found[n], found[firsts[n] ?? n]));
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

/** For each request the place of the first that is about the same tenant, bucket and use case: what is there is told once. */
function firstOfEach(requests: readonly Asked[]): number[] {
  const firsts = new Map<string, number>();
  return requests.map(({ tenantId, bucket, useCase }, n) => {
    // Neither name can hold a line break.
    const id = `${tenantId}\n${bucket}\n${useCase}`;
    const first = firsts.get(id) ?? n;
    if (first === n) firsts.set(id, n);
    return first;
  });
}

function toParameters(
  { tenantId, subject, groups, bucket, useCase, paths, hasSegment, reads }: Asked,
  n: number,
  first: number,
): object {
  const subjectTypes = ['everyone', 'user', ...groups.map(() => 'group')];
  return {
    n,
    sameAs: first === n ? undefined : first,
    tenantId,
    bucket,
    useCase,
    subjectTypes,
    subjectIds: ['', subject, ...groups],
    paths: [...paths],
    hasSegment,
    reads,
  };
}

/** In whole seconds, as SigV4 counts; a credential that dies within one is not believed for the rest of it. */
function toHolding(own: FoundHolding | undefined, place: FoundHolding | undefined): Holding {
  if (!own || !place) throw new Error('find_holdings left out a request');
  const { now, grants, holdsAnything, withheld } = own;
  const { bucket, useCase, signingKey } = place;
  if (typeof signingKey?.expiresAt === 'number') signingKey.expiresAt = Math.floor(signingKey.expiresAt);
  return {
    now: Math.floor(now),
    bucket,
    useCase,
    signingKey,
    grants,
    holdsAnything,
    withheld: withheld ? new Set(withheld) : NONE,
  };
}

const NONE: ReadonlySet<string> = new Set();
