import { describe, expect, it } from '@jest/globals';
import { type Answer, type RotationMode, type RotationStep, stepAfter } from '@countersign/signing-keys';
import { showsDead } from '../../libs/signing-keys/src/prober.js';

describe('The steps of a rotation', () => {
  const stepsOf = (mode: RotationMode, more: object = {}): string => {
    const circumstances = { mode, isManual: false, hasOldKey: true, hasLeftovers: false, ...more };
    const steps: RotationStep[] = [];
    for (let step = stepAfter(null, circumstances); step; step = stepAfter(step, circumstances)) steps.push(step);
    return steps.join(' ');
  };

  it.each([
    ['graceful', {}, 'create-key probe-key promote wait-for-urls disable-key prove-dead delete-key'],
    ['immediate', {}, 'disable-key create-key probe-key promote prove-dead delete-key'],
    ['revocation', {}, 'disable-key prove-dead delete-key'],
    ['graceful', { isManual: true }, 'probe-key promote wait-for-urls disable-key prove-dead delete-key'],
    ['immediate', { isManual: true }, 'disable-key probe-key promote prove-dead delete-key'],
    ['graceful', { hasOldKey: false }, 'create-key probe-key promote'],
    ['immediate', { hasOldKey: false }, 'create-key probe-key promote'],
    ['immediate', { hasOldKey: false, hasLeftovers: true }, 'create-key probe-key promote find-leftovers'],
  ] as const)('%s %j: %s', (mode, more, steps) => {
    expect(stepsOf(mode, more)).toBe(steps);
  });
});

describe('What shows that a key is dead', () => {
  const refused = (status: number, code: string): Answer => ({ kind: 'refused', status, code });
  const accepted: Answer = { kind: 'accepted', status: 200 };
  const unclear: Answer = { kind: 'unclear', why: '503 SlowDown' };
  const invalid = refused(403, 'InvalidAccessKeyId');
  const denied = refused(403, 'AccessDenied');

  it.each([
    ['the store says so by name, and is well', invalid, accepted, false, true],
    ['it says so by name, and there is no other key', invalid, null, false, true],
    ['it refuses what it had accepted, and is well', denied, accepted, true, true],
    ['the user is suspended', refused(403, 'UserSuspended'), accepted, true, true],
    ['the session is over', refused(400, 'ExpiredToken'), accepted, true, true],
  ])('%s', (_, canary, control, wasAccepted, isDead) => {
    expect(showsDead({ canary, control }, wasAccepted)).toBe(isDead);
  });

  it.each([
    // Attack on the proof: a store that refuses everybody, or nobody can reach, passes for one that has forgotten a key.
    ['it refuses the control as well', invalid, denied, true],
    ['it is not well', invalid, unclear, true],
    ['it does not answer', unclear, accepted, true],
    ['the key is believed', accepted, accepted, true],
    ['the key may never have been allowed to read', denied, accepted, false],
    ['it refuses without a name, and there is no other key', denied, null, true],
    ['the request was malformed', refused(400, 'AuthorizationHeaderMalformed'), accepted, true],
  ])('not: %s', (_, canary, control, wasAccepted) => {
    expect(showsDead({ canary, control }, wasAccepted)).toBe(false);
  });
});
