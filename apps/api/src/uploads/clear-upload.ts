import { Injectable } from '@nestjs/common';
import type { Asker } from '@countersign/ledger';
import { type LeasedUpload, lookedAt, type Upload, UploadLeases } from '@countersign/uploads';
import { recordUpload } from './upload-ledger.js';
import { obeyed, StoreAccess, storeUnavailable } from './store-access.js';

/** How often an object is looked at anew that changes while it is to be removed. */
const LOOKS = 3;

/** Takes away what an upload that was rejected or aborted has at the store. What did not come by this upload is never touched. */
@Injectable()
export class ClearUpload {
  constructor(
    private readonly leases: UploadLeases,
    private readonly store: StoreAccess,
  ) {}

  /**
   * Seen to have nothing at the store any more, and recorded as looked at; and whether an object was there. The lease is given back.
   * @throws ProblemError `store-unavailable`; then it is still to be done. @throws LeaseLost
   */
  async execute(upload: LeasedUpload, asker: Asker, signal: AbortSignal): Promise<Upload & { hasRemoved: boolean }> {
    await this.abortParts(upload, signal);
    const hasRemoved = await this.#removeObject(upload, asker, signal);
    const cleared = await this.leases.finish(upload, (_, current, now) => lookedAt(current, now, this.leases.times));
    return { ...cleared, hasRemoved };
  }

  /** Of a multipart upload: what the store has of its parts. A part that is still on its way can come after that, so it is done again. */
  async abortParts(upload: Upload, signal: AbortSignal): Promise<void> {
    const { storeUploadId } = upload;
    if (storeUploadId === null) return;
    obeyed(await this.store.ask(upload, signal, ({ objects, key }) => objects.abortUpload(key, storeUploadId)));
  }

  /** The object, if it came by this upload; whether there was one. */
  async #removeObject(upload: LeasedUpload, asker: Asker, signal: AbortSignal): Promise<boolean> {
    for (let look = 0, held = upload; look < LOOKS; look++) {
      const object = await this.store.look(held, signal);
      if (object?.uploadId !== held.id) return false;
      const { size, etag } = object;
      held = await this.#announce(held, asker, { size, etag });
      const answer = await this.store.ask(held, signal, ({ objects, key }) => objects.remove(key, { etag }));
      if (obeyed(answer).kind === 'removed') return true;
    }
    throw storeUnavailable(new Error('the object changes all the time'));
  }

  /**
   * The first look does what the verdict or the caller asked for, which is on record; what is found later came late, and its removal is put on
   * record before it is done, as one that is still to be done.
   */
  async #announce(upload: LeasedUpload, asker: Asker, found: { size: number; etag: string }): Promise<LeasedUpload> {
    if (upload.looks === 0) return upload;
    return this.leases.record(upload, async (transaction, current, now) => {
      await recordUpload(transaction, asker, current, 'upload.late-object-removed', found);
      return { looks: 0, dueAt: now };
    });
  }
}
