import { Injectable } from '@nestjs/common';
import { type Coalescer, Database, hotPathProblem } from '@countersign/database';
import { ProblemError } from '@countersign/errors';
import { toEntries } from './entries.js';
import type { IssuanceDecision, Terms } from './entry.js';
import { Receipt } from './receipt.js';

/** A request that is to be done once, however often it comes. */
export interface OnceRequest {
  tenantId: string;
  subject: string;
  /** The client's name for it, its own among those of the subject. */
  key: string;
  /** Of what is asked: the key goes with nothing else. */
  fingerprint: string;
}

/** What one item of a request was granted. */
export interface Kept<T extends Terms = Terms> {
  receipt: Receipt<T>;
  expiryLimitedBy: 'credential' | null;
}

/** One decision of a request, by its place in it. */
export interface OnceDecision<T extends Terms = Terms> {
  item: number;
  decision: IssuanceDecision<T>;
  expiryLimitedBy: 'credential' | null;
}

/**
 * What was granted to requests that carry a key, for a day: the terms, never a URL. It is written by the statement that writes the
 * ledger's rows, so a key has its rows, and a receipt comes of one that is kept as of one that is new (invariant 1).
 */
@Injectable()
export class KeptIssuances {
  readonly #reads: Coalescer<OnceRequest, Found | null>;
  readonly #appends: Coalescer<Entry, boolean>;

  constructor(database: Database) {
    this.#reads = database.coalescer(
      'find_idempotency_keys',
      async (asked) => {
        const requests = [...new Set(asked)];
        const rows = await database.call<Found & { n: number }>(
          'find_idempotency_keys',
          requests.map(({ tenantId, subject, key }, n) => ({ n, tenantId, subject, key })),
        );
        const found = new Map<OnceRequest | undefined, Found>(rows.map((row) => [requests[row.n], row]));
        return asked.map((request) => found.get(request) ?? null);
      },
      2,
    );
    this.#appends = database.coalescer(
      'append_once',
      async (entries) => {
        const requests = [...new Set(entries.map(({ request }) => request))];
        const numbered = requests.map((request, n) => ({ n, ...request }));
        const recorded = new Set(await database.call<number>('append_once', numbered, entries.length));
        const theirs = new Set(requests.filter((_, n) => recorded.has(n)));
        return entries.map(({ request }) => theirs.has(request));
      },
      2,
    );
  }

  /**
   * What is kept for the request, by item.
   * @param items how many it has: the answer grows with them
   * @throws ProblemError `idempotency-key-reused` where it is kept for another request; `ledger-unavailable`, `overloaded`
   */
  async find(request: OnceRequest, items = 1): Promise<ReadonlyMap<number, Kept>> {
    const [found] = await this.#reads
      .requestAll(Array<OnceRequest>(items).fill(request))
      .catch((cause: unknown) => Promise.reject(hotPathProblem(cause)));
    if (!found) return NOTHING;
    if (found.fingerprint !== request.fingerprint) throw keyReused();
    return new Map(Object.entries(found.issuances ?? {}).map(([item, text]) => [Number(item), toKept(text)]));
  }

  /**
   * Records all of a request's decisions and keeps what was granted, committed together when this resolves: a result each, as Ledger has
   * them. Null where nothing was recorded: something is kept under the key by now, or a signing key has stopped being active. Then
   * the caller looks, and decides, once more.
   * @throws ProblemError as `Ledger.record`
   */
  async record<T extends Terms>(
    { tenantId, subject, key, fingerprint }: OnceRequest,
    decisions: readonly OnceDecision<T>[],
  ): Promise<(Receipt<T> | null)[] | null> {
    const issuances: Record<string, string> = {};
    for (const { item, decision, expiryLimitedBy } of decisions) {
      if (decision.decision === 'refused') continue;
      issuances[item] = toText({ issuanceId: decision.issuanceId, terms: decision.terms, expiryLimitedBy });
    }
    const entries = toEntries(decisions.map(({ decision }) => decision));
    const request = { tenantId, subject, key, fingerprint, issuances, entries, rows: decisions.length };
    const recorded = await this.#appends
      .requestAll(decisions.map(() => ({ request })))
      .catch((cause: unknown) =>
        Promise.reject(
          hotPathProblem(cause, 'The decision could not be recorded, so there is none. Try again shortly.'),
        ),
      );
    if (!recorded[0]) return null;
    return decisions.map(({ decision }) =>
      decision.decision === 'granted' ? new Receipt(decision.issuanceId, decision.terms) : null,
    );
  }
}

/** The key is kept for another request. */
export const keyReused = (): ProblemError =>
  new ProblemError(
    'idempotency-key-reused',
    'The Idempotency-Key was used for another request: make a new one for this one.',
  );

/** As the database gives it. */
interface Found {
  fingerprint: string;
  /** Null where what is kept is no issuance: then the fingerprint is another one. */
  issuances: Record<string, string> | null;
}

/** A request that waits, once for each of its entries: so that a batch of many requests is none of many thousand rows. */
interface Entry {
  request: object;
}

/** Text, and no JSON of the database's: that does not keep the order of names, which a form's signature and every answer go by. */
const toText = (kept: Stored): string => JSON.stringify(kept);

interface Stored {
  issuanceId: string;
  terms: Terms;
  expiryLimitedBy: 'credential' | null;
}

function toKept(text: string): Kept {
  const { issuanceId, terms, expiryLimitedBy } = JSON.parse(text) as Stored;
  return { receipt: new Receipt(issuanceId, terms), expiryLimitedBy };
}

const NOTHING: ReadonlyMap<number, Kept> = new Map();
