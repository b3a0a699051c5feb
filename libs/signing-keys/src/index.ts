export { CredentialSeal, type SealedRow, type StorageCredential } from './credential-seal.js';
export { lockSigningKey } from './key-changes.js';
export { KeyIssuers, type KeyIssuerRow, type KeyIssuerType } from './key-issuers/key-issuers.js';
export {
  CALL_TIMEOUT_MS,
  type CreationIntent,
  type IssuedKey,
  type KeyIssuer,
  KeyIssuerError,
  type KeyIssuerErrorKind,
  type Recovery,
} from './key-issuers/key-issuer.js';
export { LeasedRotations, LeaseLost } from './leased-rotations.js';
export { type Answer, type Look, type Looks, type Prober } from './prober.js';
export { type RotationEvent, type RotationLedger } from './rotation-ledger.js';
export { type RotationPorts } from './rotation-ports.js';
export { RotationRunner } from './rotation-runner.js';
export { ROTATION_TIMES, type RotationTimes } from './rotation-times.js';
export {
  beginStep,
  type Control,
  type Exposure,
  finishStep,
  NO_EXPOSURE,
  type RotatedKey,
  type Rotation,
  type RotationMode,
  type RotationStep,
  stepAfter,
  type StepRecord,
  type WaitingFor,
} from './rotation.js';
export { SigningKeysModule } from './signing-keys.module.js';
export { type PolicyDocument, type PolicyScope, type StoragePolicy, storagePolicy } from './storage-policy.js';
