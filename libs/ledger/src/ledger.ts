import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { type Coalescer, Database, hotPathProblem, type Prisma, type Transaction } from '@countersign/database';
import type { AdministrativeChange, IssuanceDecision, Terms } from './entry.js';
import { Receipt } from './receipt.js';

/** What was decided? The append-only audit log. Rows of concurrent requests are appended together, each request awaiting its commit. */
@Injectable()
export class Ledger {
  readonly #appends: Coalescer<Row, boolean>;

  constructor(database: Database) {
    this.#appends = database.coalescer(
      'append_to_ledger',
      async (rows) => {
        rows.forEach((row, n) => (row.n = n));
        const appended = new Set(await database.call<number>('append_to_ledger', rows));
        return rows.map((_, n) => appended.has(n));
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
    const rows = decisions.map(toRow);
    let appended: readonly boolean[];
    try {
      appended = await this.#appends.requestAll(rows);
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

type Row = ReturnType<typeof toRow>;

/** What is null is left out: PostgreSQL finds null where there is nothing, and a batch is half as long. */
function toRow(decision: IssuanceDecision) {
  const terms = decision.decision === 'granted' ? decision.terms : undefined;
  return {
    /** Its place in its batch. */
    n: 0,
    id: decision.issuanceId,
    tenantId: decision.tenantId,
    subject: decision.subject,
    action: decision.action,
    decision: decision.decision,
    reason: decision.decision === 'refused' ? decision.reason : undefined,
    bucket: decision.bucket,
    key: decision.key,
    useCase: decision.useCase,
    issuanceId: terms && decision.issuanceId,
    signingKeyId: terms?.signingKeyId,
    expiresAt: terms && new Date((terms.issuedAt + terms.expiresInSeconds) * 1000).toISOString(),
    contentType: decision.contentType ?? undefined,
    contentLength: decision.contentLength ?? undefined,
    url: terms?.url,
    clientAddress: decision.clientAddress ?? undefined,
    userAgent: decision.userAgent ?? undefined,
    requestId: decision.requestId,
    details: decision.details ?? undefined,
    rotationId: decision.rotationId,
    urlCount: terms && urlCountOf(terms),
    upload: terms && decision.upload,
  };
}

/** How many URLs the terms give, where it is not one: null, and so left out, stands for that. */
function urlCountOf(terms: Terms): number | undefined {
  if (terms.kind === 'parts') return terms.parts.length;
  return terms.kind === 'multipart' ? 0 : undefined;
}
