import { randomUUID } from 'node:crypto';
import { type Database, Prisma, type Transaction } from '@countersign/database';
import { loadRotation } from './load-rotation.js';
import type { RotationLedger } from './rotation-ledger.js';
import {
  beginStep,
  describeStep,
  type Exposure,
  finishStep,
  type RotatedKey,
  type Rotation,
  stepAfter,
  type StepRecord,
  type WaitingFor,
} from './rotation.js';

/** Another worker may have the rotation: whoever gets this stops at once. What it wanted to record is not recorded. */
export class LeaseLost extends Error {
  constructor() {
    super('the lease of the rotation is lost');
  }
}

/** What a recording changes, in its transaction: rows of signing keys, and of the rotation what is given back. */
export type Work = (transaction: Transaction, current: Rotation) => Promise<Changes>;
export type Changes = Prisma.RotationUncheckedUpdateInput;

/** Until when a step is left alone; `afterFailure`, longer each time. */
export type Pause = { detail: string; waitingFor?: WaitingFor } & (
  { until: Date } | { forMs: number } | { afterFailure: true }
);

const MAX_PAUSE_MS = 60_000;
const NOTHING: Work = () => Promise.resolve({});
const SIGNING: ('active' | 'retiring')[] = ['active', 'retiring'];
const FREE = { lease: null, leaseUntil: null } as const;

/**
 * The rotations that are under way, for their workers. Whoever works on one holds its lease; every write is a compare-and-set on that
 * lease, so that a worker which lost it can change nothing. Time is the database's.
 */
export class LeasedRotations {
  constructor(
    private readonly database: Database,
    readonly ledger: RotationLedger,
    private readonly leaseMs: number,
  ) {}

  /** One that is due and that nobody works on, now ours; null where there is none. */
  async claim(): Promise<Rotation | null> {
    const lease = randomUUID();
    return this.database.asOperator(async (transaction) => {
      const [claimed] = await transaction.$queryRaw<{ id: string }[]>`
        UPDATE rotations SET lease = ${lease}::uuid, lease_until = now() + make_interval(secs => ${this.leaseMs / 1000})
         WHERE id = (SELECT id FROM rotations
                      WHERE state IN ('running', 'waiting') AND due_at <= now() AND (lease_until IS NULL OR lease_until <= now())
                      ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED)
        RETURNING id`;
      return claimed ? loadRotation(transaction, claimed.id, lease) : null;
    });
  }

  /** The whole lease once more, before an outside call; gives the time. @throws LeaseLost */
  async renew({ id, lease }: Rotation): Promise<Date> {
    const [held] = await this.database.asOperator(
      (transaction) => transaction.$queryRaw<{ now: Date }[]>`
        UPDATE rotations SET lease_until = clock_timestamp() + make_interval(secs => ${this.leaseMs / 1000})
         WHERE id = ${id}::uuid AND lease = ${lease}::uuid AND lease_until > clock_timestamp()
        RETURNING clock_timestamp() AS now`,
    );
    if (!held) throw new LeaseLost();
    return held.now;
  }

  /** Gives a rotation back as it is, for another worker. */
  async release({ id, lease }: Rotation): Promise<void> {
    await this.database.asOperator((transaction) =>
      transaction.rotation.updateMany({ where: { id, lease }, data: FREE }),
    );
  }

  /** Records something within a step. @throws LeaseLost */
  note(rotation: Rotation, work: Work): Promise<Rotation> {
    return this.#compareAndSet(rotation, async (transaction, current) => {
      await write(transaction, current, await work(transaction, current));
      return loadRotation(transaction, current.id, current.lease);
    });
  }

  /** The step is over and the next one begins, in one transaction with what it did. Null where that was the last one. @throws LeaseLost */
  advance(rotation: Rotation, detail: string, work: Work = NOTHING): Promise<Rotation | null> {
    return this.#compareAndSet(rotation, async (transaction, current, now) => {
      const changes = await work(transaction, current);
      const next = stepAfter(current.step, {
        mode: current.mode,
        isManual: current.keyIssuer === null,
        hasOldKey: current.oldKey !== null,
        hasLeftovers: current.leftovers.length > 0,
      });
      const steps = finishStep(current.steps, now, detail);
      if (!next) {
        const done = { state: 'done', finishedAt: now, waitingFor: Prisma.DbNull, ...FREE } as const;
        await write(transaction, current, { ...changes, ...done, steps: toJson(steps) });
        await this.ledger.record(transaction, current, { action: 'rotation.finished' });
        return null;
      }
      const begun = { step: next, state: 'running', waitingFor: Prisma.DbNull, attempts: 0 } as const;
      await write(transaction, current, { ...changes, ...begun, steps: toJson(beginStep(steps, next, now)) });
      return loadRotation(transaction, current.id, current.lease);
    });
  }

  /** The step goes on later, with whoever is free then. @throws LeaseLost */
  pause(rotation: Rotation, pause: Pause): Promise<null> {
    return this.#compareAndSet(rotation, async (transaction, current, now) => {
      const later = (ms: number) => new Date(now.getTime() + ms);
      const { detail, waitingFor } = pause;
      const changes: Changes = { ...FREE, attempts: 0, steps: toJson(describeStep(current.steps, detail)) };
      if ('afterFailure' in pause) {
        changes.attempts = current.attempts + 1;
        changes.dueAt = later(Math.min(MAX_PAUSE_MS, 1000 * 2 ** current.attempts));
      } else {
        changes.dueAt = 'until' in pause ? pause.until : later(pause.forMs);
        changes.state = waitingFor ? 'waiting' : 'running';
        changes.waitingFor = waitingFor ?? Prisma.DbNull;
      }
      await write(transaction, current, changes);
      return null;
    });
  }

  /** Nothing more can be done without a person: `problem` says what happened, and what to do. @throws LeaseLost */
  needOperator(rotation: Rotation, problem: string, work: Work = NOTHING): Promise<null> {
    return this.#compareAndSet(rotation, async (transaction, current, now) => {
      const changes = await work(transaction, current);
      const stopped = { state: 'needs_operator', problem, waitingFor: Prisma.DbNull, ...FREE } as const;
      await write(transaction, current, {
        ...changes,
        ...stopped,
        steps: toJson(finishStep(current.steps, now, problem)),
      });
      const details = { step: current.step, problem };
      await this.ledger.record(transaction, current, { action: 'rotation.needs-operator', details });
      return null;
    });
  }

  /** What is out under the old key now. */
  exposure({ tenantId, oldKey }: Rotation): Promise<Exposure> {
    return this.database.asOperator((transaction) => this.ledger.exposureOf(transaction, tenantId, oldKey?.id ?? null));
  }

  /** Other buckets of the tenant at the same place that sign with this access key, or whose URLs under it still live. */
  async bucketsSharing({ tenantId, bucket }: Rotation, { accessKeyId }: RotatedKey): Promise<string[]> {
    const elsewhere = { id: { not: bucket.id }, endpoint: bucket.endpoint };
    const where = { tenantId, accessKeyId, state: { in: SIGNING }, bucket: elsewhere };
    const select = { id: true, state: true, bucket: { select: { name: true } } } as const;
    return this.database.asOperator(async (transaction) => {
      const names = new Set<string>();
      for (const key of await transaction.signingKey.findMany({ where, select })) {
        // Of two buckets that are rotated away from one key, neither may wait for the other.
        const isInUse =
          key.state === 'active' || (await this.ledger.exposureOf(transaction, tenantId, key.id)).liveUrls > 0;
        if (isInUse) names.add(key.bucket.name);
      }
      return [...names].toSorted();
    });
  }

  /** Every access key that the tenant's rows name: whichever of them is found at the store was not made by an attempt that is unclear. */
  async accessKeyIds({ tenantId }: Rotation): Promise<string[]> {
    const where = { tenantId, accessKeyId: { not: null } };
    const keys = await this.database.asOperator((transaction) =>
      transaction.signingKey.findMany({ where, select: { accessKeyId: true } }),
    );
    return keys.flatMap(({ accessKeyId }) => accessKeyId ?? []);
  }

  /** One transaction on the rotation as it is now, by whoever holds its lease. Nobody can take it meanwhile: the row is locked. */
  #compareAndSet<T>(
    { id, lease }: Rotation,
    work: (transaction: Transaction, current: Rotation, now: Date) => Promise<T>,
  ): Promise<T> {
    return this.database.asOperator(async (transaction) => {
      const [held] = await transaction.$queryRaw<{ now: Date }[]>`
        SELECT clock_timestamp() AS now FROM rotations
         WHERE id = ${id}::uuid AND lease = ${lease}::uuid AND lease_until > clock_timestamp() FOR UPDATE`;
      if (!held) throw new LeaseLost();
      return work(transaction, await loadRotation(transaction, id, lease), held.now);
    });
  }
}

async function write(transaction: Transaction, { id }: Rotation, data: Changes): Promise<void> {
  await transaction.rotation.update({ where: { id }, data, select: { id: true } });
}

const toJson = (steps: StepRecord[]): Prisma.InputJsonArray => steps as unknown as Prisma.InputJsonArray;
