import { Injectable } from '@nestjs/common';
import { ProblemError } from '@countersign/errors';
import { type LeasedUpload, lookedAt, UploadLeases } from '@countersign/uploads';
import { askerOf, type Caller } from '../http/caller.js';
import { AtMost } from './at-most.js';
import { StoreAccess, storeUnavailable } from './store-access.js';
import { recordUpload } from './upload-ledger.js';

/** A batch of a thousand must not be a thousand requests to the store at once. */
const STARTS_AT_ONCE = 8;

/**
 * Starts at the store the multipart uploads that are on record already. Whoever dies between the store's answer and its recording leaves
 * an upload without the store's name for it: the reconciler finds that at the store, and aborts it.
 */
@Injectable()
export class StartMultipart {
  readonly #starts = new AtMost(STARTS_AT_ONCE);

  constructor(
    private readonly leases: UploadLeases,
    private readonly store: StoreAccess,
  ) {}

  /** One result each, in their order: null where the store has begun it, or why it has not (503). */
  executeAll(caller: Caller, uploadIds: readonly string[]): Promise<(ProblemError | null)[]> {
    return Promise.all(uploadIds.map((id) => this.#starts.run(() => this.#start(caller, id))));
  }

  async #start(caller: Caller, id: string): Promise<ProblemError | null> {
    try {
      const upload = await this.leases.claim({ tenantId: caller.tenantId, id });
      if (upload?.state !== 'pending' || upload.storeUploadId !== null)
        throw new Error('the upload is under way already');
      const { contentType, disposition } = upload;
      const started = await this.store.ask(upload, NEVER, ({ objects, key, acl }) =>
        objects.startUpload(key, { contentType, disposition, acl, uploadId: id }),
      );
      if (started.kind === 'refused') {
        await this.#giveUp(caller, upload, started.status);
        return storeUnavailable(new Error(started.why));
      }
      const { storeUploadId } = started;
      await this.leases.finish(upload, (_, { expiresAt }) => ({ storeUploadId, dueAt: expiresAt }));
      return null;
    } catch (error) {
      return error instanceof ProblemError ? error : storeUnavailable(error);
    }
  }

  /** Where the store said no, nothing was begun and the upload is over; where nobody knows, the reconciler looks for it. */
  async #giveUp(caller: Caller, upload: LeasedUpload, status: number | null): Promise<void> {
    if (status === null || status >= 500) return this.leases.release(upload);
    await this.leases.finish(upload, async (transaction, current, now) => {
      await recordUpload(transaction, askerOf(caller), current, 'upload.aborted', { reason: 'not-started' });
      return {
        state: 'aborted',
        finishedAt: now,
        ...lookedAt({ ...current, finishedAt: now }, now, this.leases.times),
      };
    });
  }
}

/** A start is short, and is not given up half-way. */
const NEVER = new AbortController().signal;
