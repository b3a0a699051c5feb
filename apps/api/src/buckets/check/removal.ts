import { failed, type Outcome, passed, skipped } from './outcome.js';
import type { Trial } from './trial.js';

const TIMEOUT_MS = 5_000;

/** Takes away what the trial made, where the key may; that it may not is how it should be. */
export async function removeTraces(trial: Trial): Promise<Outcome> {
  const objects = trial.objects(AbortSignal.timeout(TIMEOUT_MS));
  const refusals = await Promise.all([...trial.touched].map((key) => objects.remove(key)));
  const refusal = refusals.find((each) => each !== null);
  const place = `${trial.bucket.keyPrefix}${trial.folder}`;
  if (refusal === undefined) return passed('What the check made was removed.');
  const remedy = `Expire what is under ${trial.bucket.keyPrefix}.countersign-check/ by a lifecycle rule.`;
  if (refusal.startsWith('403')) {
    return skipped(
      `The signing key may not delete, as it should be: a few small objects remain under ${place}.`,
      remedy,
    );
  }
  return failed(`Some small objects may remain under ${place}: ${refusal}.`, remedy);
}
