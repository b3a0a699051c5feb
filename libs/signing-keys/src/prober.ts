import type { RotatedKey, Rotation } from './rotation.js';

/** How the store answered one URL. */
export type Answer =
  | { kind: 'accepted'; status: number }
  /** By the store itself, for a reason that may be the key. */
  | { kind: 'refused'; status: number; code: string }
  /** It tells nothing about the key. */
  | { kind: 'unclear'; why: string };

/** What is asked: URLs of one moment, so that whatever lets one of them expire lets the other one, too. */
export interface Looks {
  /** The key in question. */
  canary: RotatedKey;
  /** One that works. */
  control: RotatedKey | null;
  /** By the database's clock. */
  at: Date;
}

export interface Look {
  canary: Answer;
  /** Null where there is none. It is asked after the canary. */
  control: Answer | null;
}

/** Asks the store what it thinks of a key, by URLs that are on record as every other. */
export interface Prober {
  /** @throws where the URLs could not be recorded: the rotation may be over. */
  look(rotation: Rotation, looks: Looks): Promise<Look>;

  /** Puts the object there that canaries ask for, so that a key which may not list gets another answer than AccessDenied. */
  placeCanary(rotation: Rotation, key: RotatedKey, at: Date): Promise<void>;
}

/**
 * Whether a look shows that the store no longer believes the canary's key: it says so by name, or it refuses what it had accepted before;
 * and it is well, as its answer to the control shows.
 */
export function showsDead({ canary, control }: Look, couldBeAccepted: boolean): boolean {
  if (canary.kind !== 'refused' || (control && control.kind !== 'accepted')) return false;
  if (canary.code === 'InvalidAccessKeyId') return true;
  // Without a control, or of a key that was never seen accepted, another refusal says too little.
  return control !== null && couldBeAccepted && ([401, 403].includes(canary.status) || OF_SESSIONS.has(canary.code));
}

/** Which S3 answers with a 400. A clock that is off (RequestTimeTooSkewed) says nothing of a key: Answer has it as unclear. */
const OF_SESSIONS: ReadonlySet<string> = new Set(['InvalidToken', 'ExpiredToken']);

/** In words, for a step's detail. */
export function describe(answer: Answer): string {
  switch (answer.kind) {
    case 'accepted':
      return `accepted (${answer.status})`;
    case 'refused':
      return `refused (${answer.status} ${answer.code})`;
    case 'unclear':
      return `unclear (${answer.why})`;
    default:
      return answer satisfies never;
  }
}
