import { Counter, type Registry } from 'prom-client';
import { OUTCOMES } from '../upload-reconciler/outcome.js';
import type { UploadReconciler } from '../upload-reconciler/upload-reconciler.js';

/** Counts what the reconciler of this process has done. */
export function measureUploads(reconciler: UploadReconciler, registry: Registry): void {
  const reconciled = new Counter({
    name: 'countersign_uploads_reconciled_total',
    help: `Uploads that were due, by what became of them: ${OUTCOMES.join(', ')}`,
    labelNames: ['outcome'],
    registers: [registry],
  });
  // So that a rate is right from the first one on.
  for (const outcome of OUTCOMES) reconciled.inc({ outcome }, 0);
  reconciler.onOutcome = (outcome, count) => reconciled.inc({ outcome }, count);
}
