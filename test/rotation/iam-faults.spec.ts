// Wherever a worker dies, whatever IAM does meanwhile.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CrashRig } from './crash-rig.js';
import { deaths } from './enumerate.js';
import { expectWell } from './expect-well.js';
import { iamStore, type IamWeather } from './key-stores.js';

const LIMIT_MS = 300_000;

let rig: CrashRig;
beforeAll(async () => {
  rig = await CrashRig.start();
});
afterAll(() => rig.close());

describe('A rotation whose worker dies at any point comes to its end, leaves no key behind, and takes away none but its own:', () => {
  it.each<[string, 'graceful' | 'immediate', string, IamWeather]>([
    [
      'a key is made of which nobody hears, and the list is stale',
      'graceful',
      'create-key delete-key find-leftovers',
      { faults: { CreateAccessKey: ['broken-but-done'], ListAccessKeys: [{ staleMs: 0 }, { staleMs: 60_000 }] } },
    ],
    [
      'every call is throttled at first',
      'immediate',
      'disable-key create-key delete-key',
      {
        faults: {
          ListAccessKeys: ['throttled'],
          CreateAccessKey: ['throttled'],
          UpdateAccessKey: ['throttled'],
          DeleteAccessKey: ['throttled'],
        },
      },
    ],
    [
      'every change times out, and is done',
      'graceful',
      'create-key disable-key delete-key',
      {
        faults: {
          CreateAccessKey: ['silent-but-done'],
          UpdateAccessKey: ['silent-but-done'],
          DeleteAccessKey: ['silent-but-done'],
        },
      },
    ],
    [
      'a key is made only after everybody gave up',
      'immediate',
      'create-key find-leftovers',
      { faults: { CreateAccessKey: ['late'] } },
    ],
    ['no key is taken away at the first attempt', 'immediate', 'create-key delete-key', { isHurried: true }],
    ['a dead key is believed for long', 'immediate', 'promote prove-dead', { deadMs: 1_000 }],
  ])(
    '%s (%s)',
    async (what, mode, steps, weather) => {
      expectWell(`${mode}, ${what}`, await deaths(rig, () => iamStore(weather), mode, steps.split(' ')));
    },
    LIMIT_MS,
  );

  it.each<[string, IamWeather]>([
    ['has the other place in the user', { foreign: 'before' }],
    [
      'appears while ours is being made, and is used',
      { foreign: 'meanwhile', faults: { CreateAccessKey: ['broken'] } },
    ],
  ])(
    'somebody else’s key %s, is never touched, and the operator is asked once',
    async (what, weather) => {
      const outcomes = await deaths(rig, () => iamStore(weather), 'graceful', ['create-key', 'find-leftovers']);
      expectWell(`graceful, a foreign key ${what}`, outcomes);
      expect(outcomes.filter(({ helped }) => helped !== 1)).toEqual([]);
    },
    LIMIT_MS,
  );
});
