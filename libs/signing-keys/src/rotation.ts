import type { CreationIntent } from './key-issuers/key-issuer.js';
import type { KeyIssuerRow } from './key-issuers/key-issuers.js';

export type RotationMode = 'graceful' | 'immediate' | 'revocation';

export type RotationStep =
  | 'create-key'
  | 'probe-key'
  | 'promote'
  | 'wait-for-urls'
  | 'disable-key'
  | 'prove-dead'
  | 'delete-key'
  | 'find-leftovers';

const PLANS: Record<RotationMode, readonly RotationStep[]> = {
  graceful: [
    'create-key',
    'probe-key',
    'promote',
    'wait-for-urls',
    'disable-key',
    'prove-dead',
    'delete-key',
    'find-leftovers',
  ],
  immediate: ['disable-key', 'create-key', 'probe-key', 'promote', 'prove-dead', 'delete-key', 'find-leftovers'],
  revocation: ['disable-key', 'prove-dead', 'delete-key'],
};

/** What decides which steps of its plan a rotation takes. */
export interface Circumstances {
  mode: RotationMode;
  /** The keys are changed by hand: the new one was given, and the old one is removed by the operator. */
  isManual: boolean;
  hasOldKey: boolean;
  /** Whether an attempt to make a key had no known outcome. */
  hasLeftovers: boolean;
}

/** The step that comes after this one, or the first; null where the rotation is done. */
export function stepAfter(step: RotationStep | null, circumstances: Circumstances): RotationStep | null {
  const plan = PLANS[circumstances.mode];
  const rest = step === null ? plan : plan.slice(plan.indexOf(step) + 1);
  return rest.find((next) => isTaken(next, circumstances)) ?? null;
}

function isTaken(step: RotationStep, { isManual, hasOldKey, hasLeftovers }: Circumstances): boolean {
  switch (step) {
    case 'create-key':
      return !isManual;
    case 'probe-key':
    case 'promote':
      return true;
    case 'wait-for-urls':
    case 'disable-key':
    case 'prove-dead':
    case 'delete-key':
      return hasOldKey;
    case 'find-leftovers':
      return hasLeftovers;
    default:
      return step satisfies never;
  }
}

/** One step as it is shown: what was done, when, and with what result. */
export interface StepRecord {
  name: RotationStep;
  startedAt: string;
  finishedAt: string | null;
  detail: string | null;
}

/** What is out under a signing key. */
export interface Exposure {
  liveUrls: number;
  subjects: number;
  /** RFC 3339. */
  latestExpiresAt: string | null;
}

/** The step that is under way, at the end of all that were begun. */
export const beginStep = (steps: StepRecord[], name: RotationStep, now: Date): StepRecord[] => [
  ...steps,
  { name, startedAt: now.toISOString(), finishedAt: null, detail: null },
];

export const finishStep = (steps: StepRecord[], now: Date, detail: string): StepRecord[] =>
  changeLast(steps, { finishedAt: now.toISOString(), detail });

export const describeStep = (steps: StepRecord[], detail: string): StepRecord[] => changeLast(steps, { detail });

function changeLast(steps: StepRecord[], change: Partial<StepRecord>): StepRecord[] {
  return steps.map((step, index) => (index === steps.length - 1 ? { ...step, ...change } : step));
}

export const NO_EXPOSURE: Exposure = { liveUrls: 0, subjects: 0, latestExpiresAt: null };

export type WaitingFor = { what: 'urls'; until: string } | { what: 'key-removal'; accessKeyId: string };

/** What showed that the store was well while it refused the old key. */
export type Control =
  { what: 'signing-key'; signingKeyId: string; accessKeyId: string } | { what: 'invalid-access-key-id' };

/** One `create`, from before it was made until it is known what came of it. */
export interface Attempt extends CreationIntent {
  /** It had made this one, whose secret is lost: on record before it is taken away. */
  unusedAccessKeyId?: string;
}

/** A rotation that a worker holds by its lease: all that the next step takes. */
export interface Rotation {
  id: string;
  tenantId: string;
  lease: string;
  mode: RotationMode;
  /** In the words of whoever asked for it. */
  reason: string;
  step: RotationStep;
  /** All that were begun; the last one is the one under way. */
  steps: StepRecord[];
  /** How often this step has failed. */
  attempts: number;
  bucket: RotatedBucket;
  /** Null: by hand. */
  keyIssuer: KeyIssuerRow | null;
  oldKey: RotatedKey | null;
  newKey: RotatedKey | null;
  /** The bucket's active key, whichever it is. */
  activeKey: RotatedKey | null;
  /** What a `create` is doing, or was when its worker died. */
  intent: Attempt | null;
  /** Attempts that seem to have made nothing, where the store may have shown an old list. */
  leftovers: Attempt[];
  /** Whether a URL of the old key was seen accepted in this rotation: only then does a plain refusal tell anything. */
  wasAccepted: boolean;
}

export interface RotatedBucket {
  id: string;
  name: string;
  endpoint: string | null;
  region: string;
  bucket: string;
  keyPrefix: string;
  forcePathStyle: boolean;
  acl: 'private' | 'none';
}

export interface RotatedKey {
  id: string;
  accessKeyId: string | null;
  sealedCredential: Uint8Array | null;
  expiresAt: Date | null;
}
