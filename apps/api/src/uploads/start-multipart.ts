import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { ProblemError } from '@countersign/errors';
import { type LeasedUpload, lookedAt, type Upload, UploadLeases } from '@countersign/uploads';
import { askerOf, type Caller } from '../http/caller.js';
import { replayGone } from '../issuance/replay.js';
import { AtMost } from './at-most.js';
import { DeadStarts } from './dead-starts.js';
import { FindUpload } from './find-upload.js';
import { StoreAccess, storeUnavailable } from './store-access.js';
import { recordUpload } from './upload-ledger.js';

/** A batch of a thousand must not be a thousand requests to the store at once. */
const STARTS_AT_ONCE = 8;

/** A multipart upload that is on record. */
export interface Beginning {
  id: string;
  /** Whether the same request has begun it, or died on the way. */
  isAgain: boolean;
}

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
    private readonly uploads: FindUpload,
    private readonly deadStarts: DeadStarts,
  ) {}

  /** One result each, in their order: null where the store has begun it, or why it has not (503, and 409 where it will not any more). */
  executeAll(caller: Caller, beginnings: readonly Beginning[]): Promise<(ProblemError | null)[]> {
    return Promise.all(
      beginnings.map(({ id, isAgain }) =>
        (isAgain ? this.#startAgain(caller, id) : this.#starts.run(() => this.#start(caller, id))).catch(
          (error: unknown) => (error instanceof ProblemError ? error : storeUnavailable(error)),
        ),
      ),
    );
  }

  async #start(caller: Caller, id: string): Promise<ProblemError | null> {
    const upload = await this.leases.claim({ tenantId: caller.tenantId, id });
    if (upload && isToStart(upload)) return this.#startClaimed(caller, upload);
    // The same request, by the same key, was quicker than we were.
    if (upload) await this.leases.release(upload);
    return this.#startAgain(caller, id);
  }

  /** Waits for whoever is starting it, and starts it where they died. */
  async #startAgain(caller: Caller, id: string): Promise<ProblemError | null> {
    for (const until = performance.now() + WAIT_MS; ; await sleep(this.leases.times.pollMs)) {
      const found = await this.#find(caller, id);
      if (found?.storeUploadId) return null;
      if (!found || !isToStart(found)) return replayGone('the store did not begin the upload in parts');
      const claimed = await this.leases.claim(found);
      if (claimed && isToStart(claimed)) return this.#startAnew(caller, claimed);
      if (claimed) await this.leases.release(claimed);
      if (performance.now() > until) return storeUnavailable(new Error('somebody else is starting it'));
    }
  }

  /** Null where it was forgotten, or its bucket was. */
  async #find(caller: Caller, id: string): Promise<Upload | null> {
    try {
      return await this.uploads.execute(caller, id);
    } catch (error) {
      if (error instanceof ProblemError && error.code === 'not-found') return null;
      throw error;
    }
  }

  /** What whoever died has begun at the store is removed first: the upload can have one name only. */
  async #startAnew(caller: Caller, upload: LeasedUpload): Promise<ProblemError | null> {
    let isCleared = false;
    try {
      isCleared = await this.deadStarts.clear(upload, NEVER);
    } finally {
      if (!isCleared) await this.leases.release(upload);
    }
    return isCleared
      ? this.#startClaimed(caller, upload)
      : storeUnavailable(new Error('another upload of the same key is just beginning'));
  }

  async #startClaimed(caller: Caller, upload: LeasedUpload): Promise<ProblemError | null> {
    const { contentType, disposition, id } = upload;
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

const isToStart = ({ state, storeUploadId }: Upload): boolean => state === 'pending' && storeUploadId === null;

/** For how long a repeated request waits for the first one. */
const WAIT_MS = 10_000;

/** A start is short, and is not given up half-way. */
const NEVER = new AbortController().signal;
