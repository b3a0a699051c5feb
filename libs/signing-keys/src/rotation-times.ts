import type { Rotation } from './rotation.js';

/** How often something has to be seen in a row, and how far apart. */
interface Spacing {
  inARow: number;
  everyMs: number;
}

/** By whether a change at the store is everywhere at once, or here sooner than there. */
interface Spacings {
  prompt: Spacing;
  lagging: Spacing;
}

export interface RotationTimes {
  /** More than twice what the longest outside call takes. */
  leaseMs: number;
  /** Until a store is asked again that has not come so far. */
  retryMs: number;
  /** Of a new key. */
  acceptance: Spacings;
  /** That an old key is dead. */
  proof: Spacings;
  /** How many refusals by name show it where no other key works. */
  withoutControl: number;
  /** How long a new key may take to be accepted, */
  acceptanceMs: number;
  /** and one that was given by hand. */
  manualAcceptanceMs: number;
  /** How long a key that was cut off may be believed until the operator is asked. */
  proofMs: number;
  /** Between the last URL's end and the key's, for a store whose clock is late. */
  urlMarginMs: number;
}

export const ROTATION_TIMES: RotationTimes = {
  leaseMs: 30_000,
  retryMs: 2_000,
  acceptance: { prompt: { inARow: 3, everyMs: 150 }, lagging: { inARow: 5, everyMs: 1_000 } },
  proof: { prompt: { inARow: 3, everyMs: 150 }, lagging: { inARow: 5, everyMs: 1_000 } },
  withoutControl: 5,
  acceptanceMs: 120_000,
  manualAcceptanceMs: 600_000,
  proofMs: 600_000,
  urlMarginMs: 1_000,
};

/** IAM spreads a new key for some seconds. One that was made by hand is there when it is given. */
export function acceptanceOf({ acceptance }: RotationTimes, { keyIssuer }: Rotation): Spacing {
  return keyIssuer?.type === 'aws-iam' ? acceptance.lagging : acceptance.prompt;
}

/** Ceph and the embedded store forget a key at once; IAM does not, and of what is changed by hand nobody knows. */
export function proofOf({ proof }: RotationTimes, { keyIssuer }: Rotation): Spacing {
  return keyIssuer && keyIssuer.type !== 'aws-iam' ? proof.prompt : proof.lagging;
}

/** Whether the step that is under way was begun longer ago than this. */
export function isOverdue({ steps }: Rotation, now: Date, ms: number): boolean {
  return now.getTime() - Date.parse(steps.at(-1)?.startedAt ?? '') > ms;
}
