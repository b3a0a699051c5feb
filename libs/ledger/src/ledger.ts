import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { type Coalescer, Database, hotPathProblem, type Prisma, type Transaction } from '@countersign/database';
import { toEntries } from './entries.js';
import type { AdministrativeChange, IssuanceDecision, Terms } from './entry.js';
import { Receipt } from './receipt.js';

/** What was decided? The append-only audit log. Rows of concurrent requests are appended together, each request awaiting its commit. */
@Injectable()
export class Ledger {
  readonly #appends: Coalescer<IssuanceDecision, boolean>;

  constructor(database: Database) {
    this.#appends = database.coalescer(
      'append_to_ledger',
      async (decisions) => {
        const places = await database.call<number>('append_to_ledger', toEntries(decisions), decisions.length);
        const appended = decisions.map(() => false);
        for (const place of places) appended[place] = true;
        return appended;
      },
      2,
    );
  }

  /**
   * Records decisions, committed together when this resolves, and gives one result each, in their order: of a granted one the receipt
   * that can be signed, or null where the signing key has stopped being active since it was read: then nothing was recorded, and the
   * caller reads once more and uses the successor. Of a refused one: null.
   * @throws ProblemError `ledger-unavailable`, `overloaded` where they could not be recorded: then there is no URL (invariant 1).
   */
  async record<T extends Terms>(decisions: readonly IssuanceDecision<T>[]): Promise<(Receipt<T> | null)[]> {
    let appended: readonly boolean[];
    try {
      appended = await this.#appends.requestAll(decisions);
    } catch (cause) {
      throw hotPathProblem(cause, 'The decision could not be recorded, so there is none. Try again shortly.');
    }
    return decisions.map((decision, n) =>
      decision.decision === 'granted' && appended[n] ? new Receipt(decision.issuanceId, decision.terms) : null,
    );
  }
}

/** Records an administrative change in the transaction that makes it: both are there, or neither. */
export async function recordChange(
  transaction: Transaction,
  { details, ...change }: AdministrativeChange,
): Promise<void> {
  const row = { ...change, id: randomUUID(), decision: 'granted' as const, details: details as Prisma.InputJsonObject };
  await transaction.ledgerEntry.createMany({ data: [row] });
}
