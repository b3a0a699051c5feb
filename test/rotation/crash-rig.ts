import { setTimeout as sleep } from 'node:timers/promises';
import { Config } from '@countersign/config';
import { Database, isUnavailable } from '@countersign/database';
import { Ledger } from '@countersign/ledger';
import { UrlSigner } from '@countersign/signing';
import {
  CredentialSeal,
  type IssuedKey,
  LeasedRotations,
  ROTATION_TIMES,
  type Rotation,
  type RotationMode,
  RotationRunner,
  type RotationTimes,
} from '@countersign/signing-keys';
import pg from 'pg';
import { rotationLedger } from '../../apps/api/src/rotations/rotation-ledger.js';
import type { RotationWorker } from '../../apps/api/src/rotations/rotation-worker.js';
import { Rotations } from '../../apps/api/src/rotations/rotations.js';
import { StartRotation } from '../../apps/api/src/rotations/start-rotation.js';
import { StoreProber } from '../../apps/api/src/rotations/store-prober.js';
import { freshDatabase, type FreshDatabase } from '../support/fresh-database.js';
import { Checks, orphans, records } from './checks.js';
import { Course, observed, type Worker } from './course.js';
import type { KeyStore } from './key-stores.js';
import { begin, callerOf, makeRotatedBucket, type RotatedBucket } from './rotated-bucket.js';
import { OUTGOING } from '../support/outgoing.js';

export interface Plan {
  mode: RotationMode;
  /** The call before which the first worker stops, the next one, and so on. */
  stopsBefore: string[];
  /** The call of the last worker, from 1, before which those that had stopped wake up; in any case they do once all is over. */
  wakesAt?: number;
}

/** How a rotation went. */
export interface Outcome {
  plan: Plan;
  course: Course;
  found: string[];
  orphans: number;
  wrongDeletions: number;
  twoActive: number;
  moments: number;
  /** How often the operator had to help. */
  helped: number;
}

interface Rotating {
  course: Course;
  checks: Checks;
  store: KeyStore;
  bucket: RotatedBucket;
  faults: string[];
  /** The rotation is done, or needs its operator. */
  onStandstill: (state: string) => void;
}

/** What the workers of one replica share. */
interface Replica {
  database: Database;
  rotations: LeasedRotations;
  prober: StoreProber;
}

const TIMES: RotationTimes = {
  ...ROTATION_TIMES,
  acceptance: { prompt: { inARow: 2, everyMs: 1 }, lagging: { inARow: 2, everyMs: 1 } },
  proof: { prompt: { inARow: 2, everyMs: 1 }, lagging: { inARow: 2, everyMs: 1 } },
  withoutControl: 3,
};

/** How long nothing is done where a rotation waits, until its time is made to come. */
const WAIT_MS = 100;

const RECORDINGS = ['note', 'advance', 'pause', 'needOperator', 'renew', 'release'] as const;
const CALLS = ['prepare', 'create', 'afterUnknown', 'disable', 'remove'] as const;

/** Replicas on a database of their own, whose workers stop where a plan says. A lease runs out as soon as its holder has stopped. */
export class CrashRig {
  readonly #rotating = new Map<string, Rotating>();
  readonly #stop = new AbortController();
  readonly #starts: StartRotation;
  readonly #rotations: Rotations;
  #claiming: Promise<void> = Promise.resolve();
  #awake: Promise<void> = Promise.resolve();
  #wake: () => void = () => undefined;

  private constructor(
    private readonly fresh: FreshDatabase,
    private readonly client: pg.Pool,
    private readonly replicas: Replica[],
    private readonly seal: CredentialSeal,
  ) {
    const [{ database }] = replicas as [Replica];
    const worker = { wake: () => undefined } as unknown as RotationWorker;
    this.#starts = new StartRotation(database, seal, worker);
    this.#rotations = new Rotations(database, seal, worker);
  }

  static async start(): Promise<CrashRig> {
    const fresh = await freshDatabase();
    const config = new Config({ ...process.env, ...fresh.env, NODE_ENV: 'test', LOG_LEVEL: 'silent' });
    const client = new pg.Pool({ connectionString: fresh.ownerUrl, max: 3 });
    const seal = new CredentialSeal(config);
    const replicas = [toReplica(config, seal), toReplica(config, seal)];
    // Whatever Prisma loads, it loads now.
    for (const { database } of replicas) await database.asOperator((transaction) => transaction.rotation.count());
    const rig = new CrashRig(fresh, client, replicas, seal);
    rig.#claiming = rig.#claimAll();
    return rig;
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#claiming;
    await this.client.end();
    for (const { database } of this.replicas) await database.onApplicationShutdown();
    await this.fresh.drop();
  }

  /** One rotation, its workers stopping as planned, until it is over and those that had stopped have given up, too. */
  async rotate(store: KeyStore, plan: Plan): Promise<Outcome> {
    const bucket = await makeRotatedBucket(this.client, this.seal, store);
    const { tenantId } = bucket;
    const course = new Course(plan.stopsBefore, plan.wakesAt ?? null, () => this.#leaseRunsOut(tenantId));
    const checks = new Checks(this.client, store, bucket, plan.mode);
    const rotating: Rotating = { course, checks, store, bucket, faults: [], onStandstill: () => undefined };
    this.#rotating.set(tenantId, rotating);

    const found: string[] = [];
    let helped = 0;
    let state = await this.#untilStandstill(rotating, () => begin(this.#starts, bucket, plan.mode));
    while (state === 'needs-operator' && (await store.help())) {
      helped++;
      state = await this.#untilStandstill(rotating, () => this.#retry(tenantId));
    }
    found.push(...(await this.#check(rotating, plan.mode, helped)));
    if (course.workers > 0) {
      await course.wakeAll();
      found.push(...(await this.#check(rotating, plan.mode, helped)).map((what) => `once the late one woke: ${what}`));
    }
    this.#rotating.delete(tenantId);
    found.push(...checks.found, ...rotating.faults);
    const orphans = found.filter((words) => words.includes('orphan')).length;
    const { wrongDeletions, twoActive, moments } = checks;
    return { plan, course, found, orphans, wrongDeletions, twoActive, moments, helped };
  }

  async #untilStandstill(rotating: Rotating, act: () => Promise<unknown>): Promise<string> {
    const standstill = new Promise<string>((resolve) => (rotating.onStandstill = resolve));
    const tooLate = sleep(25_000, 'it came to no end', { ref: false });
    await act();
    this.#wake();
    return Promise.race([standstill, tooLate]);
  }

  async #retry(tenantId: string): Promise<void> {
    const { rows } = await this.client.query<{ id: string }>('SELECT id FROM rotations WHERE tenant_id = $1', [
      tenantId,
    ]);
    await this.#rotations.retry(callerOf(tenantId), rows[0]?.id ?? '', {});
  }

  async #check({ bucket, store }: Rotating, mode: RotationMode, helped: number): Promise<string[]> {
    return [...(await orphans(this.client, store, bucket)), ...(await records(this.client, bucket, mode, helped))];
  }

  /** Takes up whatever is due, as every replica does. The worker that follows one that stopped is in another replica. */
  async #claimAll(): Promise<void> {
    const signal = new AbortController().signal;
    for (let turn = 0; !this.#stop.signal.aborted; turn++) {
      const rotation = await this.#replica(turn).rotations.claim().catch(laterIfUnavailable);
      const rotating = rotation && this.#rotating.get(rotation.tenantId);
      if (!rotating) {
        await Promise.race([this.#awake, sleep(100, undefined, { ref: false })]);
        this.#awake = new Promise((resolve) => (this.#wake = resolve));
        continue;
      }
      void rotating.course
        .run((worker) => this.#runnerOf(rotating, worker).run(rotation, signal))
        .then(() => this.#goOn(rotating));
    }
  }

  #replica(number: number): Replica {
    return this.replicas[number % this.replicas.length] as Replica;
  }

  #runnerOf({ store, checks, faults }: Rotating, worker: Worker): RotationRunner {
    const { rotations, prober } = this.#replica(worker.number);
    const issuer = observed(store.issuer, CALLS, (name, [argument], act) =>
      worker.pass(null, name, async () => {
        if (name === 'disable' || name === 'remove') await checks.beforeTakingAway(name, argument as string);
        const result = await act();
        if (name === 'create') checks.created((result as IssuedKey).accessKeyId);
        return result;
      }),
    );
    return new RotationRunner({
      rotations: observed(rotations, RECORDINGS, (name, [rotation], act) =>
        worker.pass((rotation as Rotation).step, name, async () => {
          const result = await act();
          if (name !== 'renew') await checks.afterRecording();
          return result;
        }),
      ),
      prober: observed(prober, ['look', 'placeCanary'], (name, [rotation], act) =>
        worker.pass((rotation as Rotation).step, name, act),
      ),
      keyIssuers: { of: () => issuer },
      seal: this.seal,
      times: TIMES,
      onFault: ({ step }, error) => {
        // Too few connections for so many at once: it is tried again, as it is where the database is away.
        if (isUnavailable(error)) return;
        if (!worker.isLate) faults.push(`${step}: ${String(error)}`);
      },
    });
  }

  async #leaseRunsOut(tenantId: string): Promise<void> {
    await this.client.query(`UPDATE rotations SET lease_until = now() - interval '1 second' WHERE tenant_id = $1`, [
      tenantId,
    ]);
  }

  /** Whatever a rotation waits for comes soon: the end of its URLs, and its turn. */
  async #goOn({ bucket: { tenantId }, onStandstill }: Rotating): Promise<void> {
    const { rows } = await this.client.query<{ state: string; waits: boolean }>(
      'SELECT state::text, lease IS NULL AS waits FROM rotations WHERE tenant_id = $1',
      [tenantId],
    );
    const { state = '', waits = false } = rows[0] ?? {};
    if (state === 'done' || state === 'needs-operator') return onStandstill(state);
    if (waits) {
      if (state !== 'waiting') await sleep(WAIT_MS);
      await this.client.query(
        `UPDATE ledger SET expires_at = now() - interval '1 second' WHERE tenant_id = $1 AND subject = 'alice'
            AND EXISTS (SELECT FROM rotations r WHERE r.tenant_id = $1 AND r.waiting_for IS NOT NULL)`,
        [tenantId],
      );
      await this.client.query('UPDATE rotations SET due_at = now() WHERE tenant_id = $1 AND lease IS NULL', [tenantId]);
    }
    this.#wake();
  }
}

function toReplica(config: Config, seal: CredentialSeal): Replica {
  const database = new Database(config);
  return {
    database,
    rotations: new LeasedRotations(database, rotationLedger, ROTATION_TIMES.leaseMs),
    prober: new StoreProber(new Ledger(database), seal, new UrlSigner(), OUTGOING),
  };
}

/** A replica that cannot read its rotations now asks again. */
function laterIfUnavailable(error: unknown): null {
  if (isUnavailable(error)) return null;
  throw error;
}
