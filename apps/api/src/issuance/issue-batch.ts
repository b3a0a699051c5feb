import { Injectable, Logger } from '@nestjs/common';
import { ProblemError } from '@countersign/errors';
import type { Batch } from '../http/batch.pipe.js';
import type { Caller } from '../http/caller.js';
import { problemBody } from '../http/problem.filter.js';
import type { Once } from '../idempotency/once.js';
import type { RefusedItem } from './batch.dto.js';
import { IssueUrl } from './issue-url.js';
import type { Issued } from './issued.js';
import type { Wish } from './wish.js';

/** What is a download's or an upload's own: the same as in the single call. */
export interface BatchOf<Item, ItemWish extends Wish, Body> {
  toWish: (item: Item) => ItemWish | ProblemError;
  toBody: (wish: ItemWish, issued: Issued) => Body;
}

/** One answer an item, in order. */
export interface Answers<Body> {
  items: ({ status: 201; body: Body } | RefusedItem)[];
}

/** The story of issue-url.ts for many items at once: each gets the single call's answer, and none harms another. */
@Injectable()
export class IssueBatch {
  readonly #logger = new Logger('Problem');

  constructor(private readonly issueUrl: IssueUrl) {}

  /** @throws ProblemError for the whole, where it cannot be decided or recorded now (503). */
  async execute<Item, ItemWish extends Wish, Body>(
    caller: Caller,
    batch: Batch<Item>,
    { toWish, toBody }: BatchOf<Item, ItemWish, Body>,
    once: Once | null = null,
  ): Promise<Answers<Body>> {
    const wishes = batch.map((item) => (item instanceof ProblemError ? item : toWish(item)));
    const issuable = wishes.filter((wish): wish is ItemWish => !(wish instanceof ProblemError));
    const items = once && wishes.flatMap((wish, n) => (wish instanceof ProblemError ? [] : n));
    const outcomes = await this.issueUrl.executeAll(caller, issuable, once && items && { ...once, items });
    this.#logFault(outcomes, caller);

    const next = outcomes.values();
    const answers = wishes.map((wish) => {
      if (wish instanceof ProblemError) return toRefusal(wish, caller);
      const outcome = next.next().value;
      if (!outcome) throw new Error('executeAll left out a wish');
      return outcome instanceof ProblemError
        ? toRefusal(outcome, caller)
        : { status: 201 as const, body: toBody(wish, outcome) };
    });
    return { items: answers };
  }

  /** One line, however many items: what the filter does for a single call. */
  #logFault(outcomes: readonly (Issued | ProblemError)[], { requestId }: Caller): void {
    const fault = outcomes.find((outcome) => outcome instanceof ProblemError && outcome.status >= 500);
    if (fault instanceof ProblemError) this.#logger.error({ requestId, code: fault.code, err: fault.cause ?? fault });
  }
}

function toRefusal(problem: ProblemError, { requestId }: Caller): RefusedItem {
  return { status: problem.status as RefusedItem['status'], body: problemBody(problem, requestId) };
}
