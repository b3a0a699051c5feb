import type { Prisma, Transaction } from '@countersign/database';
import { readExposure } from '@countersign/ledger';
import { type Exposure, NO_EXPOSURE, type StepRecord } from '@countersign/signing-keys';
import { toExposure } from './rotation-ledger.js';
import type { RotationControl, RotationResponse, RotationWaitingFor } from './rotations.dto.js';

export const WITH_BUCKET = { include: { bucket: { select: { name: true } } } } as const;

export type StoredRotation = Prisma.RotationGetPayload<typeof WITH_BUCKET>;

/** Rotations as they are answered, with what is out under their old keys at this moment. */
export async function toResponses(
  transaction: Transaction,
  tenantId: string,
  rotations: StoredRotation[],
): Promise<RotationResponse[]> {
  // Once a key was seen dead none of its URLs lives, whenever they expire.
  const alive = rotations.flatMap(({ revokedAt, oldSigningKeyId }) => (revokedAt ? [] : (oldSigningKeyId ?? [])));
  const counted = await readExposure(transaction, tenantId, alive);
  const exposures = new Map(counted.map((exposure) => [exposure.signingKeyId, toExposure(exposure)]));
  return rotations.map((rotation) =>
    toResponse(rotation, (!rotation.revokedAt && exposures.get(rotation.oldSigningKeyId ?? '')) || NO_EXPOSURE),
  );
}

function toResponse(rotation: StoredRotation, now: Exposure): RotationResponse {
  const { id, bucket, mode, reason, requestedBy, problem } = rotation;
  return {
    id,
    bucket: bucket.name,
    mode,
    state: rotation.state === 'needs_operator' ? 'needs-operator' : rotation.state,
    reason,
    requestedBy,
    signingKeyId: rotation.oldSigningKeyId,
    newSigningKeyId: rotation.newSigningKeyId,
    steps: rotation.steps as unknown as StepRecord[],
    exposure: { before: rotation.exposureBefore as unknown as Exposure, now },
    waitingFor: rotation.waitingFor as RotationWaitingFor | null,
    control: rotation.control as RotationControl | null,
    problem,
    revokedAt: rotation.revokedAt?.toISOString() ?? null,
    createdAt: rotation.createdAt.toISOString(),
    finishedAt: rotation.finishedAt?.toISOString() ?? null,
  };
}
