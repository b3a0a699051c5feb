import { Injectable } from '@nestjs/common';
import { Database } from '@countersign/database';
import type { LeasedUpload, Upload } from '@countersign/uploads';
import { UploadLeases } from '@countersign/uploads';
import { obeyed, StoreAccess } from './store-access.js';

/** How far a store's clock may be from ours, */
const SKEW_MS = 5 * 60_000;

/** and how long a start may be on its way. */
const ON_ITS_WAY_MS = 10 * 60_000;

/**
 * Multipart uploads that a store has begun and whose name nobody heard: whoever asked for it died. The store cannot say for which upload of ours it
 * was begun, so one counts as dead only where it has exactly our key, was begun when we asked, and is named by no row of ours.
 */
@Injectable()
export class DeadStarts {
  constructor(
    private readonly database: Database,
    private readonly leases: UploadLeases,
    private readonly store: StoreAccess,
  ) {}

  /**
   * Aborts what the store has begun for this upload; false where that cannot be told yet, since another upload of the same key is just
   * beginning.
   * @throws ProblemError `store-unavailable`, `signing-key-unavailable`
   */
  async clear(upload: LeasedUpload, signal: AbortSignal): Promise<boolean> {
    const listing = obeyed(await this.store.ask(upload, signal, ({ objects, key }) => objects.startedUploads(key)));
    const found = listing.uploads.filter(({ initiatedAt }) => isBegunFor(upload, initiatedAt));
    if (found.length === 0) return true;
    // After the list: whichever start of ours is in it is on record by now, with its name or without.
    const { isStarting, named } = await this.#ofTheSameKey(upload);
    const unnamed = found.filter(({ storeUploadId }) => !named.has(storeUploadId));
    if (unnamed.length > 0 && isStarting) return false;
    for (const { storeUploadId } of unnamed)
      obeyed(await this.store.ask(upload, signal, ({ objects, key }) => objects.abortUpload(key, storeUploadId)));
    return true;
  }

  /** What our rows say of multipart uploads of this key, in whichever registration of the same bucket: the store knows only one. */
  async #ofTheSameKey(upload: Upload): Promise<{ isStarting: boolean; named: Set<string> }> {
    const { startMs } = this.leases.times;
    const rows = await this.database.asOperator(
      (transaction) => transaction.$queryRaw<{ name: string | null; isStarting: boolean }[]>`
        SELECT u.store_upload_id AS name,
               u.state = 'pending' AND u.store_upload_id IS NULL AND u.id <> ${upload.id}::uuid
                 AND (u.created_at > now() - make_interval(secs => ${startMs / 1000}) OR u.lease_until > now()) AS "isStarting"
          FROM buckets ours
          JOIN buckets b ON b.bucket = ours.bucket AND starts_with(ours.key_prefix || ${upload.key}, b.key_prefix)
          JOIN uploads u ON u.tenant_id = b.tenant_id AND u.bucket_id = b.id AND u.mode = 'multipart'
                        AND u.key = substr(ours.key_prefix || ${upload.key}, length(b.key_prefix) + 1)
         WHERE ours.tenant_id = ${upload.tenantId}::uuid AND ours.id = ${upload.bucketId}::uuid`,
    );
    return {
      isStarting: rows.some(({ isStarting }) => isStarting),
      named: new Set(rows.flatMap(({ name }) => name ?? [])),
    };
  }
}

/** Attack, or mishap: another program uploads to a key that we have begun, too. What is not of that moment is none of ours. */
function isBegunFor({ createdAt }: Upload, initiatedAt: Date): boolean {
  const after = initiatedAt.getTime() - createdAt.getTime();
  return after >= -SKEW_MS && after <= ON_ITS_WAY_MS;
}
