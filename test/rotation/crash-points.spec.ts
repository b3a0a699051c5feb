// Wherever a worker dies, or only seems to have. The same at a store of Ceph's: test/storage/crash-points.spec.ts; and while IAM fails:
// iam-faults.spec.ts.
import { afterAll, beforeAll, describe, it } from '@jest/globals';
import { CrashRig } from './crash-rig.js';
import { deathsAndReturns } from './enumerate.js';
import { expectWell } from './expect-well.js';
import { iamStore } from './key-stores.js';

const LIMIT_MS = 300_000;

let rig: CrashRig;
beforeAll(async () => {
  rig = await CrashRig.start();
});
afterAll(() => rig.close());

describe('A rotation by AWS IAM whose worker dies at any point', () => {
  it.each(['graceful', 'immediate', 'revocation'] as const)(
    '%s: comes to its end, leaves no key behind, and takes away none but its own',
    async (mode) => {
      expectWell(mode, await deathsAndReturns(rig, () => iamStore({ isListLate: true }), mode));
    },
    LIMIT_MS,
  );
});
