import { randomUUID } from 'node:crypto';
import type { Database } from '@countersign/database';
import { toUpload } from './upload-row.js';
import type { UploadTimes } from './upload-times.js';
import type { LeasedUpload, Upload } from './upload.js';

/**
 * Nothing can come of it any more, and what it is due for is to be forgotten: it was verified, or the last look was taken, after which
 * nothing else makes it due so late.
 */
export function isOverForGood({ state, looks, attempts, dueAt, expiresAt }: Upload, times: UploadTimes): boolean {
  if (state === 'verified') return true;
  const isEnded = state === 'rejected' || state === 'expired' || state === 'aborted';
  return isEnded && looks > 0 && attempts === 0 && dueAt.getTime() > expiresAt.getTime() + lastLookMs(times);
}

const lastLookMs = ({ looksAfterMs }: UploadTimes): number => Math.max(...looksAfterMs);

/** How many of those that are due are looked through for one claim. */
const LOOKED_THROUGH = 100;

const REMOVED_AT_ONCE = 1_000;

/** The queue of all tenants' uploads about which something is to be done now, for whichever replica is free. Time is the database's. */
export class DueUploads {
  constructor(
    private readonly database: Database,
    private readonly times: UploadTimes,
  ) {}

  /**
   * Some that are due and that nobody works on, now ours, the longest due first; none where there is nothing.
   * @param busy the buckets of those that the caller works on already, each as often as it does.
   * @param perBucket how many of one bucket: a store that answers slowly must not keep the others waiting.
   */
  claim(atMost: number, perBucket: number, busy: readonly string[]): Promise<LeasedUpload[]> {
    const lease = randomUUID();
    return this.database.asOperator(async (transaction) => {
      const claimed = await transaction.$queryRaw<{ id: string }[]>`
        WITH busy AS (
          SELECT bucket_id, count(*) AS uploads FROM unnest(${busy}::uuid[]) AS b(bucket_id) GROUP BY bucket_id
        ), due AS MATERIALIZED (
          SELECT u.id, u.bucket_id, u.due_at FROM uploads u
           WHERE u.due_at <= now() AND (u.lease_until IS NULL OR u.lease_until <= now())
             AND u.bucket_id NOT IN (SELECT bucket_id FROM busy WHERE uploads >= ${perBucket})
           ORDER BY u.due_at LIMIT ${LOOKED_THROUGH} FOR UPDATE OF u SKIP LOCKED
        ), ranked AS (
          SELECT due.id, due.due_at, row_number() OVER (PARTITION BY bucket_id ORDER BY due.due_at) + coalesce(uploads, 0) AS place
            FROM due LEFT JOIN busy USING (bucket_id)
        )
        UPDATE uploads SET lease = ${lease}::uuid, lease_until = clock_timestamp() + make_interval(secs => ${this.times.leaseMs / 1000})
         WHERE id IN (SELECT id FROM ranked WHERE place <= ${perBucket} ORDER BY due_at LIMIT ${atMost})
        RETURNING id`;
      const ids = claimed.map(({ id }) => id);
      const rows = await transaction.upload.findMany({ where: { id: { in: ids } }, orderBy: { dueAt: 'asc' } });
      return rows.map((row) => ({ ...toUpload(row), lease }));
    });
  }

  /**
   * Forgets uploads that are over for good and due; gives their number, and is to be asked again until that is 0. What was decided of them
   * stays in the ledger.
   */
  removeOver(): Promise<number> {
    return this.database.asOperator(
      (transaction) => transaction.$executeRaw`
        DELETE FROM uploads WHERE id IN (
          SELECT id FROM uploads
           WHERE due_at <= now() AND (lease_until IS NULL OR lease_until <= now())
             AND (state = 'verified' OR state IN ('rejected', 'expired', 'aborted') AND looks > 0 AND attempts = 0
                  AND due_at > expires_at + make_interval(secs => ${lastLookMs(this.times) / 1000}))
           ORDER BY due_at LIMIT ${REMOVED_AT_ONCE} FOR UPDATE SKIP LOCKED)`,
    );
  }
}
