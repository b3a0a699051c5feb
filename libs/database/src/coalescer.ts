import { isDataFault } from './faults.js';
import { QueueFullError } from './queue-full-error.js';

/** Of one batch, unless a caller brings more at once. */
const MAX_BATCH = 512;

/** As many make a batch that is worth its statement: it goes, whoever else may come. */
const ENOUGH = 32;

/**
 * As many go beside a batch that is under way; fewer wait for it, since what a statement costs by itself is the dearest part of a small one.
 * Behind a larger one nobody waits: a thousand of somebody's are no reason to keep others.
 */
const CROWD = 64;

/** For how long others may join, tick by tick, while each tick brings some. */
const JOINING_MS = 1;

/** Of requests that wait: some seconds' worth, and a few megabytes. Whoever comes then is told at once, before memory grows. */
const MAX_QUEUED = 10_000;

/** Requests that came together, and stay together. */
interface Group<Request, Result> {
  requests: readonly Request[];
  /** Theirs begin at `from`, among those of a whole batch. */
  resolve: (results: readonly Result[], from: number) => void;
  reject: (error: unknown) => void;
}

/**
 * Asks the database for many requests at once: whatever waits while a batch is under way goes into the next one, each request
 * waiting for its own result. A lone request never waits; a crowd shares, and in a crowd a batch also waits while more come in tick after tick,
 * for a millisecond at the most. So the database pays per batch, not per request.
 *
 * Nothing is cached: the same request asked twice is asked twice (invariant 4).
 */
export class Coalescer<Request, Result> {
  #waiting: Group<Request, Result>[] = [];
  #queued = 0;
  #underWay = 0;
  #isGathering = false;
  /** How many requests the batch has that began last. */
  #newest = 0;

  /**
   * @param load resolves to one result a request, in their order.
   * @param atOnce how many batches may be under way together.
   */
  constructor(
    private readonly load: (requests: readonly Request[]) => Promise<readonly Result[]>,
    private readonly atOnce: number,
    private readonly maxQueued = MAX_QUEUED,
  ) {}

  /** @throws QueueFullError at once where too many wait already; otherwise whatever `load` throws. */
  request(request: Request): Promise<Result> {
    if (this.#isFullFor(1)) return Promise.reject(new QueueFullError(this.#queued));
    return new Promise((resolve, reject) => {
      this.#enqueue({ requests: [request], resolve: (results, from) => resolve(results[from] as Result), reject });
    });
  }

  /** The same for many, in one batch: their results in their order, or none. */
  requestAll(requests: readonly Request[]): Promise<readonly Result[]> {
    if (requests.length === 0) return Promise.resolve([]);
    if (this.#isFullFor(requests.length)) return Promise.reject(new QueueFullError(this.#queued));
    return new Promise((resolve, reject) => {
      const { length } = requests;
      this.#enqueue({ requests, resolve: (results, from) => resolve(results.slice(from, from + length)), reject });
    });
  }

  /** Requests whose batch has not begun. */
  get queued(): number {
    return this.#queued;
  }

  /** A group that is too large for any queue may still be served where nobody waits. */
  #isFullFor(count: number): boolean {
    return this.#queued > 0 && this.#queued + count > this.maxQueued;
  }

  #enqueue(group: Group<Request, Result>): void {
    this.#waiting.push(group);
    this.#queued += group.requests.length;
    this.#start();
  }

  /** A batch for those that wait: at once if none is under way, and beside another one for a crowd. */
  #start(): void {
    const isWorth = this.#underWay === 0 || this.#queued >= CROWD || this.#newest > CROWD;
    const isFree = this.#queued > 0 && this.#underWay < this.atOnce && isWorth;
    if (!isFree || this.#isGathering) return;
    this.#isGathering = true;
    this.#gather(this.#queued, performance.now() + JOINING_MS);
  }

  #gather(before: number, until: number): void {
    setImmediate(() => {
      const isGrowing = this.#queued > before && this.#queued < ENOUGH && performance.now() < until;
      if (isGrowing) return this.#gather(this.#queued, until);
      this.#isGathering = false;
      void this.#run();
    });
  }

  async #run(): Promise<void> {
    this.#underWay++;
    const groups = this.#take();
    this.#start();
    await this.#serve(groups);
    this.#underWay--;
    this.#start();
  }

  #take(): Group<Request, Result>[] {
    let size = 0;
    let count = 0;
    for (const { requests } of this.#waiting) {
      if (count > 0 && size + requests.length > MAX_BATCH) break;
      size += requests.length;
      count++;
    }
    this.#queued -= size;
    this.#newest = size;
    if (count === this.#waiting.length) {
      const all = this.#waiting;
      this.#waiting = [];
      return all;
    }
    return this.#waiting.splice(0, count);
  }

  async #serve(groups: readonly Group<Request, Result>[]): Promise<void> {
    try {
      const results = await this.load(
        groups.length === 1 ? groups[0]!.requests : groups.flatMap((group) => group.requests),
      );
      let from = 0;
      for (const { requests, resolve } of groups) {
        resolve(results, from);
        from += requests.length;
      }
    } catch (error) {
      // One request's data must not harm its neighbours: nothing of the batch was done, so each group can be asked alone.
      if (groups.length === 1 || !isDataFault(error)) return groups.forEach(({ reject }) => reject(error));
      await Promise.all(
        groups.map(({ requests, resolve, reject }) => this.load(requests).then((own) => resolve(own, 0), reject)),
      );
    }
  }
}
