// kill -9 of the service at any step of a multipart upload. The same on a real store: test/storage/uploads-life.spec.ts.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Tenant } from '../support/installation.js';
import { CrashRig, type Outcome, type Plan } from './crash-rig.js';
import type { RigBucket } from './reconciler-rig.js';

let rig: CrashRig;
let world: { tenant: Tenant; bucket: RigBucket };
beforeAll(async () => {
  rig = await CrashRig.start();
  world = await rig.makeTenant();
}, 60_000);
afterAll(() => rig.close());

/** The steps at which the process may die, as one that nobody kills goes through them. */
const undisturbed = async (course: Plan['course']) => {
  const { steps, found } = await rig.run({ course, diesAt: null, afterwards: 'nothing' }, world);
  expect(found).toEqual([]);
  return steps;
};

async function deaths(
  course: Plan['course'],
  afterwards: Plan['afterwards'],
  at: readonly number[],
): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const diesAt of at) outcomes.push(await rig.run({ course, diesAt, afterwards }, world));
  return outcomes;
}

const faultsOf = (outcomes: Outcome[]) =>
  outcomes.flatMap(({ plan, steps, found }) =>
    found.map((words) => `${plan.afterwards} after ${steps.at(-1)} (${plan.diesAt}): ${words}`),
  );

const numbersOf = (steps: string[], from = 0) => steps.map((_, n) => n).slice(from);

/** After each: to the world outside, that is the same as before the next. */
const effects = (steps: string[], from = 0) => numbersOf(steps, from).filter((n) => steps[n]?.startsWith('after'));

describe('A multipart upload whose service is killed', () => {
  let steps: string[];
  beforeAll(async () => {
    steps = await undisturbed('completed');
  }, 60_000);

  it('is killed before and after every call of the store and every commit', () => {
    const asked = [
      'commit of append',
      'commit of update uploads',
      'CreateMultipartUpload',
      'commit of update uploads',
      'ListParts',
      'commit of append',
      'commit of update uploads',
      'HeadObject',
      'ListParts',
      'CompleteMultipartUpload',
      'commit of update uploads',
      'HeadObject',
      'GetObject',
      'commit of insert ledger, update uploads',
    ];
    expect(steps).toEqual(asked.flatMap((what) => [`before ${what}`, `after ${what}`]));
  });

  it('can be completed after a restart, or begun anew where nobody heard of it; and nothing stays behind', async () => {
    expect(faultsOf(await deaths('completed', 'again', numbersOf(steps)))).toEqual([]);
  }, 300_000);

  it('can be aborted after a restart; and nothing stays behind', async () => {
    const from = steps.findIndex((step) => step.includes('ListParts'));
    expect(faultsOf(await deaths('completed', 'abort', effects(steps, from)))).toEqual([]);
  }, 300_000);

  it('leaves nothing behind though its owner never comes back', async () => {
    expect(faultsOf(await deaths('completed', 'nothing', effects(steps)))).toEqual([]);
  }, 300_000);
});

describe('A multipart upload that is asked for with an Idempotency-Key, whose service is killed', () => {
  it('is issued once, wherever that was, and completed after a restart; and nothing stays behind', async () => {
    const asked = { course: 'completed', afterwards: 'again', isIdempotent: true } as const;
    const { steps } = await rig.run({ ...asked, diesAt: null }, world);
    // Its start, and the URLs of its parts.
    const issuing = steps.slice(0, steps.lastIndexOf('after commit of append') + 1);
    const outcomes: Outcome[] = [];
    for (const diesAt of [0, ...effects(issuing)]) outcomes.push(await rig.run({ ...asked, diesAt }, world));
    expect(steps.slice(0, 3)).toEqual([
      'before commit of append',
      'after commit of append',
      'before commit of update uploads',
    ]);
    expect(faultsOf(outcomes)).toEqual([]);
  }, 300_000);
});

describe('A multipart upload that is being aborted while its service is killed', () => {
  it.each(['again', 'nothing'] as const)(
    'leaves nothing behind, and then: %s',
    async (afterwards) => {
      const steps = await undisturbed('aborted');
      const from = steps.findIndex((step) => step.includes('AbortMultipartUpload'));
      // With what it records before.
      expect(faultsOf(await deaths('aborted', afterwards, effects(steps, from - 4)))).toEqual([]);
    },
    300_000,
  );
});
