import { Injectable, Logger } from '@nestjs/common';
import { Prisma, type Transaction } from '@countersign/database';
import type { Asker } from '@countersign/ledger';
import type { FoundObject } from '@countersign/objects';
import {
  type Found,
  goneAt,
  type LeasedUpload,
  LeaseLost,
  type Mismatch,
  type Promised,
  type Upload,
  UploadLeases,
  verify,
} from '@countersign/uploads';
import { AtMost } from './at-most.js';
import { ClearUpload } from './clear-upload.js';
import { obeyed, StoreAccess, storeUnavailable } from './store-access.js';
import { recordUpload } from './upload-ledger.js';

/** Objects of terabytes are read at the store's speed; more of them at once would only be slower. */
const READS_AT_ONCE = 4;

/** How often an object is looked at anew that is replaced while it is read. */
const LOOKS = 3;

/** From the object's being there to the verdict: the same for a completion, and for the reconciler that finds what nobody completed. */
@Injectable()
export class SettleUpload {
  readonly #logger = new Logger('Uploads');
  readonly #reads = new AtMost(READS_AT_ONCE);

  constructor(
    private readonly leases: UploadLeases,
    private readonly store: StoreAccess,
    private readonly clear: ClearUpload,
  ) {}

  /**
   * Looks for the upload's object, holds it against what was promised, and records the verdict: the upload, `verified` or `rejected`, its
   * lease given back. Null where no object of this upload is there; then nothing is changed, and the lease is still held.
   * @throws ProblemError `store-unavailable`, `signing-key-unavailable` @throws LeaseLost
   */
  async execute(upload: LeasedUpload, asker: Asker, signal: AbortSignal): Promise<Upload | null> {
    for (let look = 0; look < LOOKS; look++) {
      const object = await this.store.look(upload, signal);
      if (object?.uploadId !== upload.id) return null;
      const found = await this.#read(upload, object, signal);
      if (found) return this.#judge(upload, found, asker, signal);
    }
    throw storeUnavailable(new Error('the object changes all the time'));
  }

  /** What the verdict takes: the store's word and, where it keeps no SHA-256 and all else is well, the object's own. Null: it changed. */
  async #read(upload: LeasedUpload, object: FoundObject, signal: AbortSignal): Promise<Found | null> {
    const isDecided = upload.checksumSha256 === null || object.checksumSha256 !== null;
    if (isDecided || verify(withoutChecksum(upload), object).mismatches.length > 0) return object;
    // Due at once, as soon as the lease is free: whoever dies while reading has left it to the reconciler.
    if (upload.state !== 'uploaded')
      await this.leases.record(upload, (_, __, now) => ({ state: 'uploaded', dueAt: now }));
    const { etag, size } = object;
    const read = await this.#reads.run(() => {
      signal.throwIfAborted();
      return this.store.ask(upload, signal, ({ objects, key }) => objects.sha256(key, { etag, size, signal }));
    });
    const hashed = obeyed(read);
    return hashed.kind === 'hashed' ? { ...object, checksumSha256: hashed.checksumSha256 } : null;
  }

  #judge(upload: LeasedUpload, found: Found, asker: Asker, signal: AbortSignal): Promise<Upload> {
    const isComplete = upload.checksumSha256 === null || found.checksumSha256 !== null;
    const { verified, mismatches } = verify(isComplete ? upload : withoutChecksum(upload), found);
    const seen = { size: found.size, etag: found.etag, verified };
    return mismatches.length === 0
      ? this.#accept(upload, seen, asker)
      : this.#reject(upload, seen, mismatches, asker, signal);
  }

  #accept(upload: LeasedUpload, seen: Seen, asker: Asker): Promise<Upload> {
    return this.leases.finish(upload, async (transaction, current, now) => {
      await recordUpload(transaction, asker, current, 'upload.verified', { ...seen });
      await releaseKey(transaction, current);
      const dueAt = goneAt(now, this.leases.times);
      return {
        state: 'verified',
        ...seen,
        mismatches: Prisma.DbNull,
        finishedAt: now,
        dueAt,
        attempts: 0,
        withheld: false,
      };
    });
  }

  /** The verdict first, and then the removal: whoever dies between them has left it to the reconciler. */
  async #reject(
    upload: LeasedUpload,
    seen: Seen,
    mismatches: Mismatch[],
    asker: Asker,
    signal: AbortSignal,
  ): Promise<Upload> {
    const rejected = await this.leases.record(upload, async (transaction, current, now) => {
      await recordUpload(transaction, asker, current, 'upload.rejected', { ...seen, mismatches });
      const json = mismatches as unknown as Prisma.InputJsonArray;
      return { state: 'rejected', ...seen, mismatches: json, finishedAt: now, looks: 0, dueAt: now, attempts: 0 };
    });
    try {
      return await this.clear.execute(rejected, asker, signal);
    } catch (error) {
      if (error instanceof LeaseLost) throw error;
      this.#logger.warn({ msg: 'a rejected object is still to be removed', uploadId: upload.id, err: error });
      await this.leases.release(rejected);
      return rejected;
    }
  }
}

/**
 * Now that a verified object has the key, the uploads that could only have made a new one stand in nobody's way any more: one that was
 * given up and begun anew, say.
 */
async function releaseKey(transaction: Transaction, { tenantId, bucketId, key }: Upload): Promise<void> {
  const where = { tenantId, bucketId, key, withheld: true, overwrite: false, mode: { not: 'post' as const } };
  await transaction.upload.updateMany({ where, data: { withheld: false } });
}

/** What was found, and of that what is as it was promised. */
interface Seen {
  size: number;
  etag: string;
  verified: Upload['verified'];
}

const withoutChecksum = (upload: Upload): Promised => ({ ...upload, checksumSha256: null });
