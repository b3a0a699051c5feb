import { Injectable } from '@nestjs/common';
import { Database, Prisma, type Transaction } from '@countersign/database';
import { ProblemError } from '@countersign/errors';
import { recordChange } from '@countersign/ledger';
import { beginStep, CredentialSeal, finishStep, type RotationStep, type StepRecord } from '@countersign/signing-keys';
import { askerOf, type Caller } from '../http/caller.js';
import { idOrNotFound, notFound } from '../http/not-found.js';
import { readCursor, toPage, UUID } from '../http/paging.js';
import { invalid } from '../http/request-validation.pipe.js';
import type { Once } from '../idempotency/once.js';
import { onlyOnce } from '../idempotency/only-once.js';
import { databaseTime } from './database-time.js';
import { keepGivenKey } from './given-key.js';
import { exposureOf } from './rotation-ledger.js';
import { type StoredRotation, toResponses, WITH_BUCKET } from './rotation-response.js';
import { RotationWorker } from './rotation-worker.js';
import type {
  EscalationRequest,
  RetryRequest,
  RotationPage,
  RotationResponse,
  RotationsQuery,
} from './rotations.dto.js';

/** Rotations as the tenant's administrator follows them, and helps where help is needed. */
@Injectable()
export class Rotations {
  constructor(
    private readonly database: Database,
    private readonly seal: CredentialSeal,
    private readonly worker: RotationWorker,
  ) {}

  async list({ tenantId }: Caller, { limit = 50, cursor, bucket }: RotationsQuery): Promise<RotationPage> {
    const before = readCursor(cursor, [UUID])?.[0];
    const where = {
      tenantId,
      ...(bucket === undefined ? {} : { bucket: { name: bucket } }),
      ...(before === undefined ? {} : { id: { lt: before } }),
    };
    return this.database.asTenant(tenantId, async (transaction) => {
      // Their ids are in the order of their beginning (UUID version 7).
      const query = { where, orderBy: { id: 'desc' }, take: limit + 1, ...WITH_BUCKET } as const;
      const rotations = await toResponses(transaction, tenantId, await transaction.rotation.findMany(query));
      return toPage(
        rotations,
        limit,
        (rotation) => rotation,
        (rotation) => [rotation.id],
      );
    });
  }

  async get({ tenantId }: Caller, id: string): Promise<RotationResponse> {
    return this.database.asTenant(tenantId, (transaction) => read(transaction, tenantId, id));
  }

  /**
   * Resumes a rotation that needed its operator, at the step where it stopped. Whoever gave a wrong key by hand need not wait until the
   * store has refused it for long: issuing may be paused meanwhile.
   */
  async retry(
    caller: Caller,
    id: string,
    { credential }: RetryRequest,
    once: Once | null = null,
  ): Promise<RotationResponse> {
    return this.#change(caller, id, once, async (transaction, rotation) => {
      const isProbed = rotation.state === 'running' && rotation.step === 'probe-key';
      if (rotation.state !== 'needs_operator' && !(credential && isProbed))
        throw new ProblemError('wrong-state', 'The rotation does not need its operator: it goes on by itself.');
      const { tenantId, bucketId } = rotation;
      const isManual = (await transaction.keyIssuer.count({ where: { tenantId, bucketId } })) === 0;
      const steps = rotation.steps as unknown as StepRecord[];
      const now = await databaseTime(transaction);
      if (!credential) {
        await record(transaction, caller, 'rotation.retried', rotation, {});
        return { ...AGAIN, steps: toJson(beginStep(steps, rotation.step as RotationStep, now)) };
      }
      if (!isManual || (rotation.step !== 'probe-key' && rotation.step !== 'create-key'))
        throw invalid([{ pointer: '/credential', message: 'must be left out: no new key is waited for' }]);

      // The rejected key was never ours: it stays at the store as it is.
      const rejected = { tenantId, id: rotation.newSigningKeyId ?? '' };
      const forgotten = { state: 'deleted', sealedCredential: null } as const;
      if (rotation.newSigningKeyId) await transaction.signingKey.updateMany({ where: rejected, data: forgotten });
      const newSigningKeyId = await keepGivenKey(transaction, this.seal, { tenantId, bucketId }, credential);
      const { accessKeyId } = credential;
      await record(transaction, caller, 'rotation.retried', rotation, { accessKeyId, newSigningKeyId });
      const tried = isProbed ? finishStep(steps, now, 'Another key was given in its place.') : steps;
      return { ...AGAIN, newSigningKeyId, step: 'probe-key', steps: toJson(beginStep(tried, 'probe-key', now)) };
    });
  }

  /** Cuts off the old key of a graceful rotation that still waits for its URLs. */
  async escalate(
    caller: Caller,
    id: string,
    { reason }: EscalationRequest,
    once: Once | null = null,
  ): Promise<RotationResponse> {
    return this.#change(caller, id, once, async (transaction, rotation) => {
      if (rotation.step !== 'wait-for-urls' || rotation.state === 'done')
        throw new ProblemError('wrong-state', 'Only a graceful rotation that waits for URLs can be hurried.');
      const { tenantId, oldSigningKeyId } = rotation;
      const where = { tenantId, id: oldSigningKeyId ?? '' };
      await transaction.signingKey.updateMany({ where, data: { state: 'disabling' } });
      const exposure = await exposureOf(transaction, tenantId, oldSigningKeyId);
      await record(transaction, caller, 'rotation.escalated', rotation, { reason, exposure });
      const now = await databaseTime(transaction);
      const waited = finishStep(rotation.steps as unknown as StepRecord[], now, 'Its operator did not wait.');
      const steps = toJson(beginStep(waited, 'disable-key', now));
      return { ...AGAIN, step: 'disable-key', steps };
    });
  }

  /** Changes a rotation that stands still, and takes it away from a worker that may be looking at it. */
  async #change(
    caller: Caller,
    id: string,
    once: Once | null,
    work: (transaction: Transaction, rotation: StoredRotation) => Promise<Prisma.RotationUncheckedUpdateInput>,
  ): Promise<RotationResponse> {
    const { tenantId } = caller;
    const change = onlyOnce(caller, once, async (transaction) => {
      const own = { tenantId, id: idOrNotFound(id, 'rotation') };
      await transaction.$queryRaw`SELECT FROM rotations WHERE tenant_id = ${tenantId}::uuid AND id = ${id}::uuid FOR UPDATE`;
      const rotation = await transaction.rotation.findFirst({ where: own, ...WITH_BUCKET });
      if (!rotation) throw notFound('rotation');
      await transaction.rotation.update({
        where: { id },
        data: await work(transaction, rotation),
        select: { id: true },
      });
      return read(transaction, tenantId, id);
    });
    const changed = await this.database.asTenant(tenantId, change);
    this.worker.wake();
    return changed;
  }
}

/** Due now, for whichever worker is free. */
const AGAIN = {
  state: 'running',
  problem: null,
  waitingFor: Prisma.DbNull,
  attempts: 0,
  lease: null,
  leaseUntil: null,
  dueAt: new Date(0),
} as const;

async function read(transaction: Transaction, tenantId: string, id: string): Promise<RotationResponse> {
  const where = { tenantId, id: idOrNotFound(id, 'rotation') };
  const rotation = await transaction.rotation.findFirst({ where, ...WITH_BUCKET });
  const [response] = rotation ? await toResponses(transaction, tenantId, [rotation]) : [];
  if (!response) throw notFound('rotation');
  return response;
}

function record(
  transaction: Transaction,
  caller: Caller,
  action: string,
  { id, bucket, mode, step, oldSigningKeyId }: StoredRotation,
  details: Record<string, unknown>,
): Promise<void> {
  return recordChange(transaction, {
    ...askerOf(caller),
    action,
    bucket: bucket.name,
    ...(oldSigningKeyId === null ? {} : { signingKeyId: oldSigningKeyId }),
    details: { rotationId: id, mode, step, ...details },
  });
}

const toJson = (steps: StepRecord[]): Prisma.InputJsonArray => steps as unknown as Prisma.InputJsonArray;
