import type { Terms } from './entry.js';

/**
 * The proof that an issuance is on record, committed. Only the ledger makes one, and only a receipt can be signed (invariant 1). Its
 * terms are frozen: what is signed is what was recorded.
 */
export class Receipt {
  /** Cannot be forged: neither a look-alike object nor a cast has it. */
  readonly #isGenuine = true;

  /** For the ledger alone; this class leaves the lib as a type only. */
  constructor(
    readonly issuanceId: string,
    readonly terms: Terms,
  ) {
    Object.freeze(terms.headers);
    Object.freeze(terms.query);
    Object.freeze(terms);
    Object.freeze(this);
  }

  static isGenuine(value: unknown): value is Receipt {
    return typeof value === 'object' && value !== null && #isGenuine in value && value.#isGenuine;
  }
}

/** Whether a value is a receipt that the ledger made. */
export const isReceipt = (value: unknown): value is Receipt => Receipt.isGenuine(value);
