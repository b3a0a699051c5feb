import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Database, Prisma, Transaction } from '@countersign/database';
import { toUpload } from './upload-row.js';
import type { UploadTimes } from './upload-times.js';
import type { LeasedUpload, Upload } from './upload.js';

/** Somebody else may have the upload: whoever gets this stops at once. What it wanted to record is not recorded. */
export class LeaseLost extends Error {
  constructor() {
    super('the lease of the upload is lost');
  }
}

export type UploadChanges = Prisma.UploadUncheckedUpdateManyInput;

/** What a recording changes of the upload; whatever else it writes is written in its transaction. `now` is the database's. */
export type Recording = (
  transaction: Transaction,
  current: Upload,
  now: Date,
) => Promise<UploadChanges> | UploadChanges;

const FREE = { lease: null, leaseUntil: null } as const;

/**
 * Who works on an upload: a request or the reconciler, in whichever replica. Every write is a compare-and-set on the lease, so that
 * whoever lost it can change nothing. Time is the database's.
 */
export class UploadLeases {
  constructor(
    private readonly database: Database,
    readonly times: UploadTimes,
  ) {}

  /** The upload, now ours; null while somebody else works on it, and where it is gone. */
  async claim({ tenantId, id }: Pick<Upload, 'tenantId' | 'id'>): Promise<LeasedUpload | null> {
    const lease = randomUUID();
    return this.database.asTenant(tenantId, async (transaction) => {
      const claimed = await transaction.$executeRaw`
        UPDATE uploads SET lease = ${lease}::uuid, lease_until = clock_timestamp() + make_interval(secs => ${this.times.leaseMs / 1000})
         WHERE id = ${id}::uuid AND tenant_id = ${tenantId}::uuid AND (lease_until IS NULL OR lease_until <= clock_timestamp())`;
      return claimed === 0 ? null : load(transaction, { tenantId, id, lease });
    });
  }

  /** The same, waiting for whoever works on it; null where that takes too long, or `signal` ends it. */
  async claimInTime(upload: Pick<Upload, 'tenantId' | 'id'>, signal: AbortSignal): Promise<LeasedUpload | null> {
    const { pollMs, waitMs } = this.times;
    for (
      const until = performance.now() + waitMs;
      ;
      await sleep(pollMs, undefined, { signal }).catch(() => undefined)
    ) {
      const claimed = await this.claim(upload);
      if (claimed || signal.aborted || performance.now() > until) return claimed;
    }
  }

  /** The whole lease once more. @throws LeaseLost */
  async prolong({ tenantId, id, lease }: LeasedUpload): Promise<void> {
    const prolonged = await this.database.asTenant(
      tenantId,
      (transaction) => transaction.$executeRaw`
        UPDATE uploads SET lease_until = clock_timestamp() + make_interval(secs => ${this.times.leaseMs / 1000})
         WHERE id = ${id}::uuid AND tenant_id = ${tenantId}::uuid AND lease = ${lease}::uuid AND lease_until > clock_timestamp()`,
    );
    if (prolonged === 0) throw new LeaseLost();
  }

  /** Does something that takes its time, and keeps the lease meanwhile; `work` hears by its signal when that was lost, or `signal` is. */
  async whileHeld<T>(upload: LeasedUpload, signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const lost = new AbortController();
    const prolong = () =>
      this.prolong(upload).catch((error: unknown) => {
        // Of a database that does not answer just now nothing is known: the next recording will show.
        if (error instanceof LeaseLost) lost.abort(error);
      });
    const timer = setInterval(() => void prolong(), this.times.leaseMs / 3);
    try {
      return await work(AbortSignal.any([signal, lost.signal]));
    } finally {
      clearInterval(timer);
    }
  }

  /** Records something; the upload stays ours. @throws LeaseLost */
  record(upload: LeasedUpload, recording: Recording): Promise<LeasedUpload> {
    return this.#compareAndSet(upload, recording, {});
  }

  /** Gives the upload back, with what is recorded last. @throws LeaseLost */
  async finish(upload: LeasedUpload, recording: Recording): Promise<Upload> {
    return withoutLease(await this.#compareAndSet(upload, recording, FREE));
  }

  /** Gives it back as it is, for whoever comes next. Of a lease that is lost already there is nothing to give. */
  async release({ tenantId, id, lease }: LeasedUpload): Promise<void> {
    await this.database.asTenant(tenantId, (transaction) =>
      transaction.upload.updateMany({ where: { tenantId, id, lease }, data: FREE }),
    );
  }

  /** One transaction on the upload as it is now, by whoever holds its lease. Nobody can take it meanwhile: the row is locked. */
  #compareAndSet(held: LeasedUpload, recording: Recording, lease: UploadChanges): Promise<LeasedUpload> {
    const { tenantId, id } = held;
    return this.database.asTenant(tenantId, async (transaction) => {
      const [locked] = await transaction.$queryRaw<{ now: Date }[]>`
        SELECT clock_timestamp() AS now FROM uploads
         WHERE id = ${id}::uuid AND tenant_id = ${tenantId}::uuid AND lease = ${held.lease}::uuid
           AND lease_until > clock_timestamp() FOR UPDATE`;
      if (!locked) throw new LeaseLost();
      const changes = await recording(transaction, await load(transaction, held), locked.now);
      await transaction.upload.updateMany({ where: { tenantId, id }, data: { ...changes, ...lease } });
      return load(transaction, held);
    });
  }
}

async function load(
  transaction: Transaction,
  { tenantId, id, lease }: Pick<LeasedUpload, 'tenantId' | 'id' | 'lease'>,
): Promise<LeasedUpload> {
  const row = await transaction.upload.findFirstOrThrow({ where: { tenantId, id } });
  return { ...toUpload(row), lease };
}

function withoutLease({ lease: _, ...upload }: LeasedUpload): Upload {
  return upload;
}
