import { Injectable } from '@nestjs/common';
import { Database, type Prisma } from '@countersign/database';
import type { Caller } from '../http/caller.js';
import { readCursor, toPage, UUID } from '../http/paging.js';
import type { AuditEvent, AuditEventPage, AuditEventsQuery } from './audit-events.dto.js';

/** Milliseconds since the epoch, up to the year 5138: whatever is written so is an instant. */
const INSTANT = /^\d{1,14}$/;

/** The ledger, as the tenant's auditor reads it: newest first. */
@Injectable()
export class AuditEvents {
  constructor(private readonly database: Database) {}

  async list(
    { tenantId }: Caller,
    { limit = 50, cursor, from, to, ...exact }: AuditEventsQuery,
  ): Promise<AuditEventPage> {
    const [instant, id] = readCursor(cursor, [INSTANT, UUID]) ?? [];
    const at = new Date(Number(instant));
    const where: Prisma.LedgerEntryWhereInput = {
      tenantId,
      ...Object.fromEntries(Object.entries(exact).filter(([, value]) => value !== undefined)),
      at: { ...(from === undefined ? {} : { gte: new Date(from) }), ...(to === undefined ? {} : { lt: new Date(to) }) },
      ...(id === undefined ? {} : { AND: [{ at: { lte: at } }, { OR: [{ at: { lt: at } }, { id: { lt: id } }] }] }),
    };
    const rows = await this.database.asTenant(tenantId, (transaction) =>
      transaction.ledgerEntry.findMany({ where, orderBy: [{ at: 'desc' }, { id: 'desc' }], take: limit + 1 }),
    );
    return toPage(rows, limit, toAuditEvent, (row) => [String(row.at.getTime()), row.id]);
  }
}

function toAuditEvent({ tenantId: _, contentLength, ...row }: Prisma.LedgerEntryGetPayload<object>): AuditEvent {
  return {
    ...row,
    at: row.at.toISOString(),
    expiresAt: row.expiresAt?.toISOString() ?? null,
    contentLength: contentLength === null ? null : Number(contentLength),
    details: row.details as Record<string, unknown> | null,
  };
}
