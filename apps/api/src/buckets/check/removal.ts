import { failed, type Outcome, passed } from './outcome.js';
import type { Trial } from './trial.js';

const TIMEOUT_MS = 5_000;

/** Takes away what the trial made, as a rejected upload has to be taken away. */
export async function removeTraces(trial: Trial): Promise<Outcome> {
  const objects = trial.objects(AbortSignal.timeout(TIMEOUT_MS));
  const removals = await Promise.all([...trial.touched].map((key) => objects.remove(key)));
  const refusal = removals.find((each) => each.kind === 'refused');
  const place = `${trial.bucket.keyPrefix}${trial.folder}`;
  if (refusal === undefined) return passed('What the check made was removed.');
  const remains = `Some small objects may remain under ${place}`;
  if (refusal.status === 403) {
    return failed(
      `The signing key may not delete, so what a rejected or aborted upload left cannot be taken away. ${remains}.`,
      `Allow s3:DeleteObject, as GET /buckets/${trial.bucket.name}/storage-policy has it.`,
    );
  }
  const remedy = `Check again, or expire what is under ${trial.bucket.keyPrefix}.countersign-check/ by a lifecycle rule.`;
  return failed(`${remains}: ${refusal.why}.`, remedy);
}
