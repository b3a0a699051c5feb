import { Controller, Get, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { RequireScope } from '@countersign/identity';
import { type Caller, Calling } from '../http/caller.js';
import { AuditEventPage, AuditEventsQuery } from './audit-events.dto.js';
import { AuditEvents } from './audit-events.js';

@ApiTags('Audit')
@Controller('audit-events')
export class AuditEventsController {
  constructor(private readonly auditEvents: AuditEvents) {}

  /**
   * What was decided: the tenant's ledger, newest first.
   * @remarks Every issuance, granted or refused, and every administrative change. A row is written before its URL is handed out, and nobody can change it.
   */
  @Get()
  @RequireScope('read:audit')
  listAuditEvents(@Calling() caller: Caller, @Query() query: AuditEventsQuery): Promise<AuditEventPage> {
    return this.auditEvents.list(caller, query);
  }
}
