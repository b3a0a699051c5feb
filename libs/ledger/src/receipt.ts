import type { Terms } from './entry.js';

/**
 * The proof that an issuance is on record, committed. Only the ledger makes one, and only a receipt can be signed (invariant 1). Its
 * terms are frozen: what is signed is what was recorded.
 */
export class Receipt<T extends Terms = Terms> {
  /** Cannot be forged: neither a look-alike object nor a cast has it. */
  readonly #isGenuine = true;

  /** For the ledger alone; this class leaves the lib as a type only. */
  constructor(
    readonly issuanceId: string,
    readonly terms: T,
  ) {
    freeze(terms);
    Object.freeze(this);
  }

  static isGenuine(value: unknown): value is Receipt {
    return typeof value === 'object' && value !== null && #isGenuine in value && value.#isGenuine;
  }
}

/** Whether a value is a receipt that the ledger made. */
export const isReceipt = (value: unknown): value is Receipt => Receipt.isGenuine(value);

/** Whether a receipt is for terms of this kind. */
export function isReceiptFor<K extends Terms['kind']>(
  receipt: Receipt,
  kind: K,
): receipt is Receipt<Extract<Terms, { kind: K }>> {
  return receipt.terms.kind === kind;
}

function freeze(terms: Terms): void {
  if (terms.kind === 'url') {
    Object.freeze(terms.headers);
    Object.freeze(terms.query);
    if (terms.headQuery) Object.freeze(terms.headQuery);
  } else if (terms.kind === 'form') {
    Object.freeze(terms.fields);
    Object.freeze(terms.contentLengthRange);
  } else if (terms.kind === 'parts') {
    for (const part of terms.parts) Object.freeze(Object.freeze(part).headers);
    Object.freeze(terms.parts);
  }
  Object.freeze(terms);
}
