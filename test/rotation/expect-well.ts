import { expect } from '@jest/globals';
import type { Outcome } from './crash-rig.js';
import { summary } from './enumerate.js';

/** Nothing happened that must not, wherever they stopped; what was seen is printed. */
export function expectWell(what: string, outcomes: Outcome[]): void {
  const { line, found, missed } = summary(`${what}, aws-iam`, outcomes);
  process.stdout.write(`${line}\n`);
  expect(found).toEqual([]);
  // How often a store with a lag is asked depends on the hour.
  expect(missed.filter((plan) => !/ (probe-key|prove-dead) /.test(plan))).toEqual([]);
}
