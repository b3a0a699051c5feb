import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable, Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { RotationRunner } from '@countersign/signing-keys';

const POLL_MS = 1_000;

/** While the database does not answer. */
const POLL_AFTER_FAILURE_MS = 5_000;

/** A store that answers slowly must not keep another tenant's key from being cut off. */
const AT_ONCE = 8;

/**
 * Carries rotations out, in every replica: whichever is free takes up what is due. It holds nothing in memory that another one would need,
 * and ends in order: what is under way comes to the end of its step and is given back.
 */
@Injectable()
export class RotationWorker implements OnApplicationBootstrap, OnModuleDestroy {
  readonly #logger = new Logger('Rotations');
  readonly #stopping = new AbortController();
  readonly #underWay = new Set<Promise<void>>();
  #asleep = new AbortController();
  #polling: Promise<void> = Promise.resolve();

  constructor(private readonly runner: RotationRunner) {}

  onApplicationBootstrap(): void {
    this.#polling = this.#poll();
  }

  async onModuleDestroy(): Promise<void> {
    this.#stopping.abort();
    this.wake();
    await this.#polling;
    await Promise.all(this.#underWay);
  }

  /** Something is due now. */
  wake(): void {
    this.#asleep.abort();
  }

  async #poll(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      this.#asleep = new AbortController();
      const pause = await this.#takeUpAll().then(
        () => POLL_MS,
        (error: unknown) => {
          this.#logger.warn({ msg: 'rotations cannot be read', err: error });
          return POLL_AFTER_FAILURE_MS;
        },
      );
      await sleep(pause, undefined, { signal: this.#asleep.signal }).catch(() => undefined);
    }
  }

  async #takeUpAll(): Promise<void> {
    while (this.#underWay.size < AT_ONCE && !this.#stopping.signal.aborted) {
      const rotation = await this.runner.claim();
      if (!rotation) return;
      const run = this.runner.run(rotation, this.#stopping.signal).finally(() => {
        this.#underWay.delete(run);
        this.wake();
      });
      this.#underWay.add(run);
    }
  }
}
