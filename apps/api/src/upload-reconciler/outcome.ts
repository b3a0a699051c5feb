import type { Upload } from '@countersign/uploads';

/**
 * `verified`, `rejected`, `expired`, `aborted`: it came to this end. `removed`: an object that was not to be there is gone. `looked`: nothing had
 * come. `forgotten`: its row is gone. `put-off`: the store did not do what it was asked for, and is asked again later. `left`: somebody
 * else has it by now, or this process ends.
 */
export const OUTCOMES = [
  'verified',
  'rejected',
  'expired',
  'aborted',
  'removed',
  'looked',
  'forgotten',
  'put-off',
  'left',
] as const;

export type Outcome = (typeof OUTCOMES)[number];

/** What was done about one upload. */
export interface Done {
  upload: Upload;
  outcome: Outcome;
  /** Of one that was put off. */
  why?: string;
}

/** How many came to which outcome. */
export class Tally {
  readonly #counts = new Map<Outcome, number>();
  readonly #reasons = new Set<string>();

  add({ outcome, why }: Pick<Done, 'outcome' | 'why'>, count = 1): void {
    if (count > 0) this.#counts.set(outcome, (this.#counts.get(outcome) ?? 0) + count);
    if (why !== undefined && this.#reasons.size < MAX_REASONS) this.#reasons.add(why);
  }

  get isEmpty(): boolean {
    return this.#counts.size === 0;
  }

  /** In the order of `OUTCOMES`. */
  get counts(): Partial<Record<Outcome, number>> {
    return Object.fromEntries(
      OUTCOMES.flatMap((outcome) => {
        const count = this.#counts.get(outcome);
        return count === undefined ? [] : [[outcome, count]];
      }),
    );
  }

  /** Why uploads were put off, each reason once. */
  get reasons(): string[] {
    return [...this.#reasons];
  }
}

const MAX_REASONS = 5;
