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
        const rows = await database.call<{ n: number; holding: FoundHolding }>(
          'find_holdings',
          requests.map(toParameters),
        );
        const holdings: FoundHolding[] = [];
        for (const { n, holding } of rows) holdings[n] = holding;
        return requests.map((_, n) => toHolding(holdings[n]));
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

function toParameters(
  { tenantId, subject, groups, bucket, useCase, paths, hasSegment, reads }: Asked,
  n: number,
): object {
  const subjectTypes = ['everyone', 'user', ...groups.map(() => 'group')];
  return {
    n,
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
function toHolding(holding: FoundHolding | undefined): Holding {
  if (!holding) throw new Error('find_holdings left out a request');
  const { now, bucket, useCase, signingKey, grants, holdsAnything, withheld } = holding;
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
