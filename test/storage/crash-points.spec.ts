// Wherever a worker dies, or only seems to have: at the run's store, which is a real Ceph RGW in CI.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CrashRig } from '../rotation/crash-rig.js';
import { deathsAndReturns, summary } from '../rotation/enumerate.js';
import { cephStore } from '../rotation/key-stores.js';

describe('A rotation by Ceph’s Admin Ops API whose worker dies at any point', () => {
  let rig: CrashRig;
  beforeAll(async () => {
    rig = await CrashRig.start();
  });
  afterAll(() => rig.close());

  it.each(['graceful', 'immediate', 'revocation'] as const)(
    '%s: comes to its end, leaves no key behind, and takes away none but its own',
    async (mode) => {
      const outcomes = await deathsAndReturns(rig, cephStore, mode);
      const { line, found, missed } = summary(`${mode}, ceph-rgw`, outcomes);
      process.stdout.write(`${line}\n`);
      expect(found).toEqual([]);
      expect(missed).toEqual([]);
    },
    300_000,
  );
});
