import type { Database } from '@countersign/database';
import { Gauge, Histogram, type Registry } from 'prom-client';

/** Measures the hot path's batches as they end, and the queues and pools whenever they are asked for. */
export function measureDatabase(database: Database, registry: Registry): void {
  const registers = [registry];
  const size = new Histogram({
    name: 'countersign_database_batch_requests',
    help: 'Requests that one call of the database served, by call: append_to_ledger, find_holdings (the read), find_issuers, find_tenants; of requests with an Idempotency-Key append_once, find_idempotency_keys',
    labelNames: ['call'],
    buckets: [1, 2, 4, 8, 16, 32, 64, 128, 256, 512],
    registers,
  });
  const duration = new Histogram({
    name: 'countersign_database_batch_duration_seconds',
    help: 'How long one call of the database took, with the wait for a connection',
    labelNames: ['call', 'outcome'],
    buckets: [0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers,
  });
  database.onCall = ({ name: call, requests, seconds, isFailed }) => {
    size.observe({ call }, requests);
    duration.observe({ call, outcome: isFailed ? 'failed' : 'done' }, seconds);
  };

  // These register themselves, and are read when Prometheus asks.
  void new Gauge({
    name: 'countersign_database_queued_requests',
    help: 'Requests that wait for the next batch',
    labelNames: ['call'],
    registers,
    collect() {
      for (const { name: call, queued } of database.queues) this.set({ call }, queued);
    },
  });
  void new Gauge({
    name: 'countersign_database_connections',
    help: 'Open connections, idle or busy',
    labelNames: ['role', 'state'],
    registers,
    collect() {
      for (const { role, total, idle } of database.pools) {
        this.set({ role, state: 'idle' }, idle);
        this.set({ role, state: 'busy' }, total - idle);
      }
    },
  });
  const limit = new Gauge({
    name: 'countersign_database_connections_limit',
    help: 'How many connections there may be',
    labelNames: ['role'],
    registers,
  });
  for (const { role, max } of database.pools) limit.set({ role }, max);
  void new Gauge({
    name: 'countersign_database_connection_waits',
    help: 'Calls that wait for a connection',
    labelNames: ['role'],
    registers,
    collect() {
      for (const { role, waiting } of database.pools) this.set({ role }, waiting);
    },
  });
}
