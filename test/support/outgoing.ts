import { Outgoing } from '@countersign/outgoing';

/** For the stores and identity providers of a test, which are on this machine. */
export const OUTGOING = new Outgoing({ allowInsecureEndpoints: true });
