/** A share of a quota so small that the other replicas need not hear of it. */
const UNTOLD_SHARE = 1 / 16;

/** What a tenant, or a subject of it, may ask for at once, and how fast it gets that back (a leaky bucket, as a meter). */
export class Quota {
  #used = 0;
  /** Of `#used`, what the other replicas have not heard of. */
  #untold = 0;
  /** Of `performance.now()`, when `#used` was right. */
  #at = 0;

  /** @param subject null for the whole tenant */
  constructor(
    readonly tenantId: string,
    readonly subject: string | null,
    readonly limit: number,
    readonly perSecond: number,
  ) {}

  /** How much is left now. */
  left(now: number): number {
    this.#drain(now);
    return Math.max(0, Math.floor(this.limit - this.#used));
  }

  /** In how many seconds so much is left; whole ones, and at least one. */
  secondsUntil(left: number, now: number): number {
    this.#drain(now);
    return Math.max(1, Math.ceil((this.#used + left - this.limit) / this.perSecond));
  }

  use(count: number, now: number): void {
    this.#drain(now);
    this.#used += count;
    this.#untold += count;
  }

  /** Whether the others should hear of it. */
  get isWorthTelling(): boolean {
    return this.#untold > 0 && this.#used >= this.limit * UNTOLD_SHARE;
  }

  /** What the others are to be told. It counts as told from now on. */
  tell(): number {
    const count = this.#untold;
    this.#untold = 0;
    return count;
  }

  /** They never heard of it. */
  takeBack(count: number): void {
    this.#untold += count;
  }

  /** What all replicas have used that have told so, this one too. */
  hear(used: number, now: number): void {
    this.#used = used + this.#untold;
    this.#at = now;
  }

  #drain(now: number): void {
    this.#used = Math.max(0, this.#used - (Math.max(0, now - this.#at) / 1000) * this.perSecond);
    this.#untold = Math.min(this.#untold, this.#used);
    this.#at = now;
  }
}
