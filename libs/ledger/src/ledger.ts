import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { type Coalescer, Database, type Prisma, type Transaction } from '@countersign/database';
import { ProblemError } from '@countersign/errors';
import type { AdministrativeChange, IssuanceDecision } from './entry.js';
import { Receipt } from './receipt.js';

/** What was decided? The append-only audit log. Rows of concurrent requests are appended together, each request awaiting its commit. */
@Injectable()
export class Ledger {
  readonly #appends: Coalescer<Row, { isAppended: boolean }>;

  constructor(database: Database) {
    this.#appends = database.coalescer(
      'append_to_ledger',
      async (rows) => {
        const appended = await database.call<{ n: number }>(
          'append_to_ledger',
          rows.map((row, n) => ({ n, ...row })),
        );
        const places = new Set(appended.map((row) => row.n));
        return rows.map((_, n) => ({ isAppended: places.has(n) }));
      },
      2,
    );
  }

  /**
   * Records a granted issuance, committed when this resolves, and gives the receipt that can be signed. Null where the signing key has
   * stopped being active since it was read: nothing was recorded, and the caller reads once more and uses the successor.
   * @throws ProblemError `ledger-unavailable` where it could not be recorded: then there is no URL (invariant 1).
   */
  async grant(decision: IssuanceDecision & { decision: 'granted' }): Promise<Receipt | null> {
    const issuanceId = randomUUID();
    const isAppended = await this.#append(toRow(decision, issuanceId));
    return isAppended ? new Receipt(issuanceId, decision.terms) : null;
  }

  /** Records a refusal. @throws ProblemError `ledger-unavailable` where it could not be recorded. */
  async refuse(decision: IssuanceDecision & { decision: 'refused' }): Promise<void> {
    await this.#append(toRow(decision, null));
  }

  async #append(row: Row): Promise<boolean> {
    try {
      return (await this.#appends.request(row)).isAppended;
    } catch (cause) {
      throw new ProblemError(
        'ledger-unavailable',
        'The decision could not be recorded, so there is none. Try again shortly.',
        {
          retryAfterSeconds: 2,
          cause,
        },
      );
    }
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

function toRow(decision: IssuanceDecision, issuanceId: string | null) {
  const terms = decision.decision === 'granted' ? decision.terms : null;
  return {
    id: issuanceId ?? randomUUID(),
    tenantId: decision.tenantId,
    subject: decision.subject,
    action: decision.action,
    decision: decision.decision,
    reason: decision.decision === 'refused' ? decision.reason : null,
    bucket: decision.bucket,
    key: decision.key,
    useCase: decision.useCase,
    issuanceId,
    signingKeyId: terms?.signingKeyId ?? null,
    expiresAt: terms ? new Date((terms.issuedAt + terms.expiresInSeconds) * 1000).toISOString() : null,
    contentType: decision.contentType,
    contentLength: decision.contentLength,
    url: terms?.url ?? null,
    clientAddress: decision.clientAddress,
    userAgent: decision.userAgent,
    requestId: decision.requestId,
    details: decision.details,
    rotationId: decision.rotationId ?? null,
  };
}
