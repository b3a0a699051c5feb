import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable, Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { Config } from '@countersign/config';
import { type Done, Tally } from './outcome.js';
import { UploadReconciler } from './upload-reconciler.js';

const POLL_MS = 5_000;

/** While the database does not answer. */
const POLL_AFTER_FAILURE_MS = 15_000;

/** Who has much to do says so now and then. */
const REPORT_EVERY_MS = 60_000;

/**
 * Reconciles uploads, in every replica: whichever is free takes up what is due. It holds nothing in memory that another one would need, and
 * ends at once: what it has not finished is given back, and is found again as it is.
 */
@Injectable()
export class UploadReconcilerWorker implements OnApplicationBootstrap, OnModuleDestroy {
  readonly #logger = new Logger('Uploads');
  readonly #stopping = new AbortController();
  #asleep = new AbortController();
  #polling: Promise<void> = Promise.resolve();
  #tally = new Tally();
  #reportedAt = performance.now();

  constructor(
    private readonly config: Config,
    private readonly reconciler: UploadReconciler,
  ) {}

  onApplicationBootstrap(): void {
    if (this.config.reconcilesUploads) this.#polling = this.#poll();
  }

  async onModuleDestroy(): Promise<void> {
    this.#stopping.abort();
    this.#asleep.abort();
    await this.#polling;
    await this.reconciler.allEnd();
    this.#report();
  }

  async #poll(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      this.#asleep = new AbortController();
      const pause = await this.#pass(signal).then(
        () => POLL_MS,
        (error: unknown) => {
          this.#logger.warn({ msg: 'uploads cannot be read', err: error });
          return POLL_AFTER_FAILURE_MS;
        },
      );
      await sleep(pause, undefined, { signal: this.#asleep.signal }).catch(() => undefined);
    }
  }

  /** Until nothing is left that could be taken up now; where that is for want of room, the next end wakes us. */
  async #pass(signal: AbortSignal): Promise<void> {
    this.#tally.add({ outcome: 'forgotten' }, await this.reconciler.forgetOver());
    while (!signal.aborted && (await this.reconciler.takeUp(signal, (done) => this.#heard(done))) > 0) {
      if (performance.now() - this.#reportedAt > REPORT_EVERY_MS) this.#report();
    }
    if (this.reconciler.underWay === 0) this.#report();
  }

  #heard(done: Done): void {
    const { outcome, why, upload } = done;
    this.#tally.add(done);
    this.#logger.debug({ msg: 'upload', uploadId: upload.id, bucketId: upload.bucketId, outcome, why });
    this.#asleep.abort();
  }

  /** One line on what was done since the last one. */
  #report(): void {
    const tally = this.#tally;
    this.#tally = new Tally();
    this.#reportedAt = performance.now();
    if (!tally.isEmpty) this.#logger.log({ msg: 'uploads reconciled', ...tally.counts, why: tally.reasons });
  }
}
