import type { IssuedPart } from '../api.js';

/** How many URLs are asked for at once: each one that is not used is out there for nothing. */
const BATCH = 32;
/** A URL that ends within this is replaced before it is used. */
const MARGIN_MS = 10_000;

type Ask = (partNumbers: number[]) => Promise<IssuedPart[]>;

/** The presigned URLs of the parts, asked for in batches and again before they end. */
export class PartUrls {
  readonly #held = new Map<number, { part: IssuedPart; until: number }>();
  #asking: Promise<void> | null = null;

  /**
   * @param missing which parts are still to be sent, in their order.
   * @param atOnce the most that is asked for in one call.
   */
  constructor(
    private readonly ask: Ask,
    private readonly missing: () => readonly number[],
    private readonly atOnce: number = BATCH,
  ) {}

  async of(partNumber: number): Promise<IssuedPart> {
    for (;;) {
      const held = this.#held.get(partNumber);
      if (held && held.until > Date.now()) return held.part;
      this.#asking ??= this.#askFrom(partNumber).finally(() => (this.#asking = null));
      await this.#asking;
    }
  }

  /** The next one will be new. */
  drop(partNumber: number): void {
    this.#held.delete(partNumber);
  }

  async #askFrom(partNumber: number): Promise<void> {
    const others = this.missing().filter((other) => other > partNumber && !this.#isHeld(other));
    for (const part of await this.ask([partNumber, ...others.slice(0, this.atOnce - 1)])) {
      const end = Date.parse(part.expiresAt) - MARGIN_MS;
      // A URL that has ended at birth says that our clock is wrong, or that the upload's time is nearly over: then the store is the judge.
      this.#held.set(part.partNumber, { part, until: end > Date.now() ? end : Infinity });
    }
  }

  #isHeld(partNumber: number): boolean {
    return (this.#held.get(partNumber)?.until ?? 0) > Date.now();
  }
}
