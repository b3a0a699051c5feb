import type { CredentialSeal } from './credential-seal.js';
import type { KeyIssuer } from './key-issuers/key-issuer.js';
import type { KeyIssuerRow } from './key-issuers/key-issuers.js';
import type { LeasedRotations } from './leased-rotations.js';
import type { Prober } from './prober.js';
import type { RotationTimes } from './rotation-times.js';
import type { Rotation } from './rotation.js';

/** All that a rotation touches: every outside call and every recording is a method of one of these. */
export interface RotationPorts {
  rotations: LeasedRotations;
  keyIssuers: { of(row: KeyIssuerRow): KeyIssuer };
  prober: Prober;
  seal: CredentialSeal;
  times: RotationTimes;
  /** Hears of a failure that is nobody's but ours. */
  onFault: (rotation: Rotation, error: unknown) => void;
}

/** What a step leaves: the rotation, or nothing to do for now (it waits, is done, or needs its operator). */
export type Next = Promise<Rotation | null>;
