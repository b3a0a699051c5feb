import type { Transaction } from '@countersign/database';
import type { Exposure, Rotation } from './rotation.js';

/** What a rotation needs of the ledger, inside its own transactions. */
export interface RotationLedger {
  /** What is out under a signing key, rotations' own URLs apart; of no key, nothing. */
  exposureOf(transaction: Transaction, tenantId: string, signingKeyId: string | null): Promise<Exposure>;

  /** Puts on record what became of a rotation. */
  record(transaction: Transaction, rotation: Rotation, event: RotationEvent): Promise<void>;
}

export interface RotationEvent {
  action: 'rotation.promoted' | 'rotation.revoked' | 'rotation.finished' | 'rotation.needs-operator';
  signingKeyId?: string;
  /** Never a secret. */
  details?: Record<string, unknown>;
}
