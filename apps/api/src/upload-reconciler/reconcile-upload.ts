import { Injectable, Logger } from '@nestjs/common';
import { Database } from '@countersign/database';
import { ProblemError } from '@countersign/errors';
import {
  isOverForGood,
  type LeasedUpload,
  LeaseLost,
  lookedAt,
  retryAt,
  type Upload,
  UploadLeases,
} from '@countersign/uploads';
import { ClearUpload } from '../uploads/clear-upload.js';
import { SettleUpload } from '../uploads/settle-upload.js';
import { askerOfUpload, recordUpload } from '../uploads/upload-ledger.js';
import { DeadStarts } from '../uploads/dead-starts.js';
import type { Done, Outcome } from './outcome.js';

/**
 * What is to be done about an upload that is due, by its state: the other half of its life, for when whoever began it has gone away. Every
 * step can be taken again: what was done at the store and not recorded is found there.
 */
@Injectable()
export class ReconcileUpload {
  readonly #logger = new Logger('Uploads');

  constructor(
    private readonly database: Database,
    private readonly leases: UploadLeases,
    private readonly settle: SettleUpload,
    private readonly clear: ClearUpload,
    private readonly deadStarts: DeadStarts,
  ) {}

  /** Takes the next step of an upload that was claimed. It never fails: what failed is tried again, later each time. */
  async execute(upload: LeasedUpload, stopping: AbortSignal): Promise<Done> {
    try {
      const outcome = await this.leases.whileHeld(upload, stopping, (signal) => this.#step(upload, signal));
      return { upload, outcome };
    } catch (error) {
      return this.#failed(upload, error, stopping).catch((cause: unknown) => {
        // Then the lease runs out, and another worker takes it up.
        if (!(cause instanceof LeaseLost)) this.#logger.warn({ msg: 'not recorded', uploadId: upload.id, err: cause });
        return { upload, outcome: 'left' };
      });
    }
  }

  #step(upload: LeasedUpload, signal: AbortSignal): Promise<Outcome> {
    if (isOverForGood(upload, this.leases.times)) return this.#forget(upload);
    switch (upload.state) {
      case 'pending':
        return isUnnamed(upload) ? this.#abortDeadStart(upload, signal) : this.#settleOrExpire(upload, signal);
      case 'uploaded':
        return this.#settleOrExpire(upload, signal);
      case 'expired':
        return this.#lookForLate(upload, signal);
      case 'rejected':
      case 'aborted':
        return this.#removeLate(upload, signal);
      case 'verified':
        return this.#forget(upload);
      default:
        return upload.state satisfies never;
    }
  }

  /** Of a start that did not say what became of it, nothing is left at the store; only then is it over. */
  async #abortDeadStart(upload: LeasedUpload, signal: AbortSignal): Promise<Outcome> {
    const isCleared = await this.deadStarts.clear(upload, signal);
    const { times } = this.leases;
    await this.leases.finish(upload, async (transaction, current, now) => {
      if (!isCleared) return { dueAt: new Date(now.getTime() + times.startMs) };
      await recordUpload(transaction, askerOfUpload(current), current, 'upload.aborted', { reason: 'start-died' });
      return { state: 'aborted', finishedAt: now, ...lookedAt(current, now, times) };
    });
    return isCleared ? 'aborted' : 'looked';
  }

  /** Whoever uploaded may have gone away before the completion: what has come is judged as if they had asked. */
  async #settleOrExpire(upload: LeasedUpload, signal: AbortSignal): Promise<Outcome> {
    const settled = await this.settle.execute(upload, askerOfUpload(upload), signal);
    if (settled) return settled.state === 'rejected' ? 'rejected' : 'verified';
    const { expiresAt, dueAt } = upload;
    if (dueAt < expiresAt) {
      // A completion died, and the object is not there: its owner has time until then.
      await this.leases.finish(upload, () => ({ state: 'pending', dueAt: expiresAt, attempts: 0 }));
      return 'looked';
    }
    await this.clear.abortParts(upload, signal);
    await this.leases.finish(upload, async (transaction, current, now) => {
      await recordUpload(transaction, askerOfUpload(current), current, 'upload.expired');
      return { state: 'expired', finishedAt: now, ...lookedAt(current, now, this.leases.times) };
    });
    return 'expired';
  }

  /** A URL that was used in its last second is still uploading when it has expired; and so may be a part. */
  async #lookForLate(upload: LeasedUpload, signal: AbortSignal): Promise<Outcome> {
    const settled = await this.settle.execute(upload, askerOfUpload(upload), signal);
    if (settled) return settled.state === 'rejected' ? 'rejected' : 'verified';
    await this.clear.abortParts(upload, signal);
    await this.leases.finish(upload, (_, current, now) => lookedAt(current, now, this.leases.times));
    return 'looked';
  }

  /** Attack: what was rejected or aborted is uploaded once more, by the same URL. */
  async #removeLate(upload: LeasedUpload, signal: AbortSignal): Promise<Outcome> {
    if (isUnnamed(upload)) await this.deadStarts.clear(upload, signal);
    const { hasRemoved } = await this.clear.execute(upload, askerOfUpload(upload), signal);
    return hasRemoved ? 'removed' : 'looked';
  }

  async #forget({ tenantId, id, lease }: LeasedUpload): Promise<Outcome> {
    await this.database.asTenant(tenantId, (transaction) =>
      transaction.upload.deleteMany({ where: { tenantId, id, lease } }),
    );
    return 'forgotten';
  }

  async #failed(upload: LeasedUpload, error: unknown, stopping: AbortSignal): Promise<Done> {
    if (error instanceof LeaseLost) return { upload, outcome: 'left' };
    if (stopping.aborted) {
      await this.leases.release(upload);
      return { upload, outcome: 'left' };
    }
    if (!(await this.#hasBucket(upload))) return { upload, outcome: await this.#forget(upload) };
    const isStores = error instanceof ProblemError;
    if (!isStores) this.#logger.error({ msg: 'an upload could not be reconciled', uploadId: upload.id, err: error });
    await this.leases.finish(upload, (_, current, now) => ({
      attempts: current.attempts + 1,
      dueAt: retryAt(current.attempts, now, this.leases.times),
    }));
    return { upload, outcome: 'put-off', why: isStores ? reasonOf(error) : 'a fault of ours: see the log' };
  }

  /** One whose upload was being granted while the bucket was deleted has left a row that nobody can do anything about. */
  #hasBucket({ tenantId, bucketId: id }: Upload): Promise<boolean> {
    return this.database.asTenant(
      tenantId,
      async (transaction) => (await transaction.bucket.count({ where: { tenantId, id } })) > 0,
    );
  }
}

/** The store may have begun a multipart upload for it, under a name that we do not know. */
const isUnnamed = ({ mode, storeUploadId }: Upload): boolean => mode === 'multipart' && storeUploadId === null;

/** The store's own words, which never hold a signature. */
const reasonOf = ({ code, cause }: ProblemError): string => (cause instanceof Error ? cause.message : code);
