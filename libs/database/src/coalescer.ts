import DataLoader from 'dataloader';
import { isDataFault } from './faults.js';

/**
 * Asks the database for many requests at once: whatever waits while a batch is under way goes into the next one, each request
 * waiting for its own result. A lone request never waits; a crowd shares. So the database pays per batch, not per request.
 *
 * Nothing is cached: the same request asked twice is asked twice (invariant 4).
 */
export class Coalescer<Request extends object, Result> {
  readonly #loader: DataLoader<Request, Result>;
  #queued = 0;
  #underWay = 0;
  #waiting: (() => void)[] = [];

  /**
   * @param load resolves to one result a request, in their order.
   * @param atOnce how many batches may be under way together.
   */
  constructor(
    private readonly load: (requests: readonly Request[]) => Promise<readonly Result[]>,
    private readonly atOnce: number,
  ) {
    this.#loader = new DataLoader((requests: readonly Request[]) => this.#run(requests), {
      cache: false,
      maxBatchSize: 512,
      batchScheduleFn: (dispatch) => this.#schedule(dispatch),
    });
  }

  /** @throws whatever `load` throws. */
  request(request: Request): Promise<Result> {
    this.#queued++;
    return this.#loader.load(request);
  }

  /** Requests whose batch has not begun. */
  get queued(): number {
    return this.#queued;
  }

  #schedule(dispatch: () => void): void {
    if (this.#underWay === this.atOnce) {
      this.#waiting.push(dispatch);
      return;
    }
    // Taken now, not when it runs: several batches may fill up within one tick.
    this.#underWay++;
    setImmediate(dispatch);
  }

  async #run(requests: readonly Request[]): Promise<(Result | Error)[]> {
    this.#queued -= requests.length;
    try {
      return [...(await this.load(requests))];
    } catch (error) {
      // One request's data must not harm its neighbours: nothing of the batch was done, so each can be asked alone.
      if (requests.length === 1 || !isDataFault(error)) throw error;
      return await Promise.all(
        requests.map((request) => this.load([request]).then(([result]) => result as Result, toError)),
      );
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#underWay--;
    }
  }
}

const toError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)));
