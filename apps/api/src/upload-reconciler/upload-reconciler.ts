import { Injectable } from '@nestjs/common';
import { DueUploads, type LeasedUpload } from '@countersign/uploads';
import type { Done, Outcome } from './outcome.js';
import { ReconcileUpload } from './reconcile-upload.js';

const AT_ONCE = 8;

/** A store that answers slowly must not keep another tenant's uploads from being looked at. */
const PER_BUCKET = 2;

/** What a process works on at this moment of all that is due, anywhere: some uploads at once, and few of one bucket. */
@Injectable()
export class UploadReconciler {
  /** By the promise of its end, the bucket of each upload that is being worked on. */
  readonly #underWay = new Map<Promise<void>, string>();

  /** Hears of every upload about which something was done, and how many came to it. It must be quick, and must not throw. */
  onOutcome: (outcome: Outcome, count: number) => void = () => undefined;

  constructor(
    private readonly due: DueUploads,
    private readonly upload: ReconcileUpload,
  ) {}

  /** How many are being worked on. */
  get underWay(): number {
    return this.#underWay.size;
  }

  /** Takes up as many as there is room for, waiting for room where there is none; gives their number. Each one's end is told to `heard`. */
  async takeUp(stopping: AbortSignal, heard: (done: Done) => void): Promise<number> {
    if (this.#underWay.size >= AT_ONCE) await this.oneEnds();
    const room = AT_ONCE - this.#underWay.size;
    const claimed = await this.due.claim(room, PER_BUCKET, [...this.#underWay.values()]);
    for (const upload of claimed) {
      const run = this.#run(upload, stopping, heard).finally(() => this.#underWay.delete(run));
      this.#underWay.set(run, upload.bucketId);
    }
    return claimed.length;
  }

  async #run(upload: LeasedUpload, stopping: AbortSignal, heard: (done: Done) => void): Promise<void> {
    const done = await this.upload.execute(upload, stopping);
    this.onOutcome(done.outcome, 1);
    heard(done);
  }

  /** Forgets those that have been over for long enough; gives their number. */
  async forgetOver(): Promise<number> {
    let forgotten = 0;
    for (let some = 1; some > 0; forgotten += some) some = await this.due.removeOver();
    if (forgotten > 0) this.onOutcome('forgotten', forgotten);
    return forgotten;
  }

  async oneEnds(): Promise<void> {
    await Promise.race(this.#underWay.keys());
  }

  async allEnd(): Promise<void> {
    await Promise.all(this.#underWay.keys());
  }
}
