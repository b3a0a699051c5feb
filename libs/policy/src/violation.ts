export type ViolationCode =
  | 'use-case-not-found'
  | 'expiry-required'
  | 'expiry-out-of-range'
  | 'content-type-not-allowed'
  | 'size-range-not-available'
  | 'mode-not-available'
  | 'too-large'
  | 'too-small'
  | 'overwrite-not-allowed';

/** One thing in which a request is outside the policy, and where. */
export interface Violation {
  code: ViolationCode;
  pointer: string;
  message: string;
  limits?: Record<string, unknown>;
}
