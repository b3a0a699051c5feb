import type { RotationMode } from '@countersign/signing-keys';
import type { CrashRig, Outcome, Plan } from './crash-rig.js';
import type { KeyStore } from './key-stores.js';

/** More would wait for each other. */
const AT_ONCE = 6;

/** Opens what one rotation's keys are made at. */
type Open = () => Promise<KeyStore>;

/**
 * Rotations of which the first worker stops: before each call that one makes in which nobody stops, and so after the call before it. Another
 * worker takes over, and the late one wakes up once all is over.
 * @param steps in which to stop; all, if left out.
 */
export async function deaths(rig: CrashRig, open: Open, mode: RotationMode, steps?: string[]): Promise<Outcome[]> {
  const undisturbed = await runOne(rig, open, { mode, stopsBefore: [] });
  const plans = undisturbed.course.calls
    .filter((call) => !steps || (steps.includes(call.split(' ')[1] ?? '') && !isRenewal(call)))
    .map((call) => ({ mode, stopsBefore: [call] }));
  return [undisturbed, ...(await inTurn(plans, (plan) => runOne(rig, open, plan)))];
}

/** And those in which the late one wakes up in the middle of it, and those in which the second worker dies, too. */
export async function deathsAndReturns(rig: CrashRig, open: Open, mode: RotationMode): Promise<Outcome[]> {
  const first = await deaths(rig, open, mode);
  const [{ course: undisturbed }, ...dead] = first as [Outcome, ...Outcome[]];
  const more = dead.flatMap(({ plan, course }, n): Plan[] => {
    const [call = ''] = plan.stopsBefore;
    // Whoever is about to renew a lease that is lost does nothing.
    if (isRenewal(call)) return [];
    const next = course.callsOf(1);
    const moments = next.flatMap((each, at) => (isRenewal(each) || isRepeated(each) ? [] : [at + 1]));
    // What is done outside, or may have to be taken back, may come at any moment.
    if (!isChange(call) && !isChange(undisturbed.calls[n - 1] ?? ''))
      return moments.slice(n % 4, (n % 4) + 1).map((wakesAt) => ({ ...plan, wakesAt }));
    // The one that takes over dies as well, while it finds out what came of the first one's attempt.
    const seconds = next.filter((each) => isCreation(each) && !isRenewal(each) && !isRepeated(each));
    return [
      // Every other one, and beginning with another one each time.
      ...moments.filter((_, at) => (at + n) % 2 === 0).map((wakesAt) => ({ ...plan, wakesAt })),
      ...(isCreation(call) ? seconds : []).map((second) => ({ mode, stopsBefore: [call, second] })),
    ];
  });
  return [...first, ...(await inTurn(more, (plan) => runOne(rig, open, plan)))];
}

/** It asks again. */
const isRepeated = (call: string): boolean => !/ [12]$/.test(call);

const isRenewal = (call: string): boolean => call.includes(' renew ');

const isChange = (call: string): boolean => / (create|disable|remove) /.test(call);

const isCreation = (call: string): boolean => / (create-key|find-leftovers) /.test(call);

/** How often a store has to be asked depends on its lag, so a call that one rotation makes another may not need. */
async function runOne(rig: CrashRig, open: Open, plan: Plan): Promise<Outcome> {
  for (let tries = 0; ; tries++) {
    const store = await open();
    const outcome = await rig.rotate(store, plan);
    await store.close();
    if (tries === 4 || outcome.found.length > 0 || !hasMissed(outcome)) return outcome;
  }
}

const hasMissed = ({ plan, course }: Outcome): boolean => course.workers < plan.stopsBefore.length;

/** Some at once; their outcomes are in the order of the plans. */
async function inTurn(plans: Plan[], run: (plan: Plan) => Promise<Outcome>): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  let next = 0;
  const work = async (): Promise<void> => {
    for (let n = next++; n < plans.length; n = next++) outcomes[n] = await run(plans[n] as Plan);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return outcomes;
}

/** What all of them showed: on one line, in words, and which of them did not stop as planned. */
export function summary(what: string, outcomes: Outcome[]): { line: string; found: string[]; missed: string[] } {
  const sum = (of: (outcome: Outcome) => number) => outcomes.reduce((total, outcome) => total + of(outcome), 0);
  const stops = outcomes.map(({ plan }) => plan.stopsBefore.join(', then '));
  const parts = [
    `${new Set(stops).size - 1} crash points`,
    `${outcomes.length} rotations`,
    `${sum(({ orphans }) => orphans)} orphan keys`,
    `${sum(({ wrongDeletions }) => wrongDeletions)} wrong deletions`,
    `${sum(({ twoActive }) => twoActive)} of ${sum(({ moments }) => moments)} moments with two active keys`,
  ];
  return {
    line: `${what}: ${parts.join(', ')}`,
    found: outcomes.flatMap(({ plan, found }) => found.map((words) => `${JSON.stringify(plan)}: ${words}`)),
    missed: outcomes.filter(hasMissed).map(({ plan }) => JSON.stringify(plan)),
  };
}
