import { Module } from '@nestjs/common';
import { AuditEventsController } from './audit-events.controller.js';
import { AuditEvents } from './audit-events.js';

@Module({ controllers: [AuditEventsController], providers: [AuditEvents] })
export class AuditEventsModule {}
