import { Injectable } from '@nestjs/common';
import { Database, type Prisma } from '@countersign/database';
import type { Caller } from '../http/caller.js';
import { readCursor, toPage, UUID } from '../http/paging.js';
import type { AuditEvent, AuditEventPage, AuditEventsQuery } from './audit-events.dto.js';

const INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/;

/** The ledger, as the tenant's auditor reads it: newest first. */
@Injectable()
export class AuditEvents {
  constructor(private readonly database: Database) {}

  async list(
    { tenantId }: Caller,
    { limit = 50, cursor, from, to, ...exact }: AuditEventsQuery,
  ): Promise<AuditEventPage> {
    const [at, id] = readCursor(cursor, [INSTANT, UUID]) ?? [];
    const where: Prisma.LedgerEntryWhereInput = {
      tenantId,
      ...Object.fromEntries(Object.entries(exact).filter(([, value]) => value !== undefined)),
      at: { ...(from === undefined ? {} : { gte: new Date(from) }), ...(to === undefined ? {} : { lt: new Date(to) }) },
      ...(at === undefined || id === undefined
        ? {}
        : { AND: [{ at: { lte: new Date(at) } }, { OR: [{ at: { lt: new Date(at) } }, { id: { lt: id } }] }] }),
    };
    const rows = await this.database.asTenant(tenantId, (transaction) =>
      transaction.ledgerEntry.findMany({ where, orderBy: [{ at: 'desc' }, { id: 'desc' }], take: limit + 1 }),
    );
    return toPage(rows, limit, toAuditEvent, (row) => [row.at.toISOString(), row.id]);
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
