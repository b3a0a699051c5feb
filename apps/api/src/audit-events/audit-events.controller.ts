import { Controller, Get, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import { RequireScope } from '@countersign/identity';
import { ApiProblems } from '../http/api-problems.js';
import { type Caller, Calling } from '../http/caller.js';
import { AuditEventPage, AuditEventsQuery } from './audit-events.dto.js';
import { AuditEvents } from './audit-events.js';

@ApiTags('Audit')
@ApiBearerAuth()
@Controller('audit-events')
export class AuditEventsController {
  constructor(private readonly auditEvents: AuditEvents) {}

  /** What was decided: the tenant's ledger, newest first. */
  @Get()
  @RequireScope('read:audit')
  @ApiProblems(400, 401, 403, 503)
  list(@Calling() caller: Caller, @Query() query: AuditEventsQuery): Promise<AuditEventPage> {
    return this.auditEvents.list(caller, query);
  }
}
