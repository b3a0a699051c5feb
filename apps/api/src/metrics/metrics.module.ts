import { Module, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyAdapter } from '@nestjs/platform-fastify';
import { Database } from '@countersign/database';
import { collectDefaultMetrics, Registry } from 'prom-client';
import { measureDatabase } from './database-metrics.js';
import { MetricsController } from './metrics.controller.js';
import { UploadReconcilerModule } from '../upload-reconciler/upload-reconciler.module.js';
import { UploadReconciler } from '../upload-reconciler/upload-reconciler.js';
import { measureRequests } from './request-metrics.js';
import { measureUploads } from './upload-metrics.js';

/**
 * What Prometheus reads. No label names a tenant, a subject, a bucket or a key: a label's value is a time series for ever, and whoever may
 * read figures need not learn whose they are.
 */
@Module({
  imports: [UploadReconcilerModule],
  controllers: [MetricsController],
  providers: [{ provide: Registry, useFactory: () => new Registry() }],
})
export class MetricsModule implements OnModuleInit {
  constructor(
    private readonly host: HttpAdapterHost<FastifyAdapter>,
    private readonly database: Database,
    private readonly reconciler: UploadReconciler,
    private readonly registry: Registry,
  ) {}

  onModuleInit(): void {
    collectDefaultMetrics({ register: this.registry });
    measureRequests(this.host.httpAdapter.getInstance(), this.registry);
    measureDatabase(this.database, this.registry);
    measureUploads(this.reconciler, this.registry);
  }
}
