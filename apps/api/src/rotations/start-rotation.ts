import { Injectable } from '@nestjs/common';
import { Database, type Prisma, type Transaction } from '@countersign/database';
import { ProblemError } from '@countersign/errors';
import { recordChange } from '@countersign/ledger';
import { beginStep, CredentialSeal, lockSigningKey, type RotationMode, stepAfter } from '@countersign/signing-keys';
import { askerOf, type Caller } from '../http/caller.js';
import { idOrNotFound, notFound } from '../http/not-found.js';
import { invalid } from '../http/request-validation.pipe.js';
import type { Once } from '../idempotency/once.js';
import { onlyOnce } from '../idempotency/only-once.js';
import { databaseTime } from './database-time.js';
import { keepGivenKey } from './given-key.js';
import { exposureOf } from './rotation-ledger.js';
import { toResponses, WITH_BUCKET } from './rotation-response.js';
import { RotationWorker } from './rotation-worker.js';
import type { DryRunResponse, RevocationRequest, RotationRequest, RotationResponse } from './rotations.dto.js';
import { rotationUnderWay, underWay } from './under-way.js';

/** What is to be done to which keys of a bucket. */
interface Intended {
  bucket: { id: string; name: string };
  mode: RotationMode;
  reason: string;
  isManual: boolean;
  oldKey: { id: string; accessKeyId: string | null } | null;
  newSigningKeyId: string | null;
}

interface How {
  isDryRun?: boolean | undefined;
  once?: Once | null;
}

/**
 * Begins a rotation or a revocation, or says what it would do. The bucket's row is locked meanwhile: of two administrators at once, one is
 * told of the other's rotation. What must be cut off is out of use when this resolves; workers do the rest.
 */
@Injectable()
export class StartRotation {
  constructor(
    private readonly database: Database,
    private readonly seal: CredentialSeal,
    private readonly worker: RotationWorker,
  ) {}

  rotate(
    caller: Caller,
    { bucket: name, mode, reason, credential }: RotationRequest,
    how: How = {},
  ): Promise<RotationResponse | DryRunResponse> {
    return this.#start(caller, how, async (transaction) => {
      const { tenantId } = caller;
      const bucket = await lockBucket(transaction, { tenantId, name });
      if (!bucket) throw unknownBucket(name);
      await assertNoneUnderWay(transaction, tenantId, bucket.id);
      const where = { tenantId, bucketId: bucket.id, state: 'active' as const };
      const oldKey = await transaction.signingKey.findFirst({ where, select: { id: true, accessKeyId: true } });
      if (how.isDryRun) return dryRun(transaction, tenantId, bucket.name, mode, oldKey);

      const isManual = bucket.keyIssuer === null;
      if (isManual && !credential) throw invalid([{ pointer: '/credential', message: CREDENTIAL_MISSING }]);
      if (!isManual && credential) throw invalid([{ pointer: '/credential', message: CREDENTIAL_UNWANTED }]);
      const row = { tenantId, bucketId: bucket.id };
      const newSigningKeyId = credential ? await keepGivenKey(transaction, this.seal, row, credential) : null;
      return begin(transaction, caller, { bucket, mode, reason: given(reason), isManual, oldKey, newSigningKeyId });
    });
  }

  revoke(
    caller: Caller,
    id: string,
    { reason }: RevocationRequest,
    how: How = {},
  ): Promise<RotationResponse | DryRunResponse> {
    return this.#start(caller, how, async (transaction) => {
      const { tenantId } = caller;
      const where = { tenantId, id: idOrNotFound(id, 'signing key') };
      const found = await transaction.signingKey.findFirst({ where, select: { bucketId: true } });
      const bucket = found && (await lockBucket(transaction, { tenantId, id: found.bucketId }));
      if (!bucket) throw notFound('signing key');
      await assertNoneUnderWay(transaction, tenantId, bucket.id);
      const select = { id: true, accessKeyId: true, state: true } as const;
      const oldKey = await transaction.signingKey.findFirstOrThrow({ where, select });
      if (oldKey.state !== 'active') throw cannotBeRevoked(oldKey.state);
      if (how.isDryRun) return dryRun(transaction, tenantId, bucket.name, 'revocation', oldKey);

      const isManual = bucket.keyIssuer === null;
      const intended = { bucket, isManual, oldKey, newSigningKeyId: null, reason: given(reason) };
      return begin(transaction, caller, { ...intended, mode: 'revocation' });
    });
  }

  /** A dry run makes nothing: its key is free for what is done after it. */
  async #start<T extends object>(
    caller: Caller,
    { isDryRun = false, once = null }: How,
    work: (transaction: Transaction) => Promise<T>,
  ): Promise<T> {
    const start = onlyOnce(caller, isDryRun ? null : once, work);
    const started = await this.database.asTenant(caller.tenantId, start);
    this.worker.wake();
    return started;
  }
}

async function begin(transaction: Transaction, caller: Caller, intended: Intended): Promise<RotationResponse> {
  const { tenantId } = caller;
  const { bucket, mode, reason, isManual, oldKey, newSigningKeyId } = intended;
  if (oldKey && mode !== 'graceful') {
    // From here on nothing is signed with it, and what is counted below is all there will ever be.
    await lockSigningKey(transaction, oldKey.id);
    await transaction.signingKey.updateMany({ where: { tenantId, id: oldKey.id }, data: { state: 'disabling' } });
  }
  const exposure = await exposureOf(transaction, tenantId, oldKey?.id ?? null);
  const step = stepAfter(null, { mode, isManual, hasOldKey: oldKey !== null, hasLeftovers: false });
  if (!step) throw new Error('a rotation without a step');
  const now = await databaseTime(transaction);
  const rotation = await transaction.rotation.create({
    data: {
      tenantId,
      bucketId: bucket.id,
      mode,
      reason,
      requestedBy: caller.subject,
      oldSigningKeyId: oldKey?.id ?? null,
      newSigningKeyId,
      step,
      steps: beginStep([], step, now) as unknown as Prisma.InputJsonArray,
      createdAt: now,
      dueAt: now,
      exposureBefore: { ...exposure },
    },
    ...WITH_BUCKET,
  });
  await recordChange(transaction, {
    ...askerOf(caller),
    action: mode === 'revocation' ? 'signing-key.revocation-requested' : 'rotation.started',
    bucket: bucket.name,
    ...(oldKey && { signingKeyId: oldKey.id }),
    details: { rotationId: rotation.id, mode, reason, accessKeyId: oldKey?.accessKeyId ?? null, exposure },
  });
  const [response] = await toResponses(transaction, tenantId, [rotation]);
  if (!response) throw new Error('a rotation without an answer');
  return response;
}

async function dryRun(
  transaction: Transaction,
  tenantId: string,
  bucket: string,
  mode: RotationMode,
  oldKey: { id: string } | null,
): Promise<DryRunResponse> {
  return { bucket, mode, exposure: await exposureOf(transaction, tenantId, oldKey?.id ?? null) };
}

/** Whoever begins a rotation waits for whoever is beginning one, or changing the bucket. */
async function lockBucket(transaction: Transaction, where: { tenantId: string; name?: string; id?: string }) {
  const select = { id: true, name: true, keyIssuer: { select: { type: true } } } as const;
  const bucket = await transaction.bucket.findFirst({ where, select: { id: true } });
  if (!bucket) return null;
  await transaction.$queryRaw`SELECT FROM buckets WHERE id = ${bucket.id}::uuid FOR UPDATE`;
  return transaction.bucket.findFirst({ where: { ...where, id: bucket.id }, select });
}

async function assertNoneUnderWay(transaction: Transaction, tenantId: string, bucketId: string): Promise<void> {
  const rotation = await underWay(transaction, { tenantId, bucketId });
  if (rotation) throw rotationUnderWay(rotation.id);
}

function given(reason: string | undefined): string {
  if (reason === undefined) throw invalid([{ pointer: '/reason', message: 'must be a string' }]);
  return reason;
}

const CREDENTIAL_MISSING = "must be given: the bucket's key issuer is manual, so the new key is made by you";
const CREDENTIAL_UNWANTED = "must be left out: the bucket's key issuer makes the new key";

function unknownBucket(name: string): ProblemError {
  const errors = [{ pointer: '/bucket', message: 'is not a registered bucket', code: 'unknown-reference' as const }];
  return new ProblemError('unknown-reference', `There is no bucket "${name}".`, { errors });
}

const cannotBeRevoked = (state: string): ProblemError =>
  new ProblemError('wrong-state', `The signing key is ${state.replace('_', '-')}: only an active one can be revoked.`);
