import type { Transaction } from '@countersign/database';
import type { KeyIssuerRow, KeyIssuerType } from './key-issuers/key-issuers.js';
import type { Attempt, Rotation, RotationStep, StepRecord } from './rotation.js';

/** What the database holds of a rotation, as a worker with this lease needs it. */
export async function loadRotation(transaction: Transaction, id: string, lease: string): Promise<Rotation> {
  const row = await transaction.rotation.findUniqueOrThrow({ where: { id } });
  const { tenantId, bucketId, oldSigningKeyId, newSigningKeyId } = row;
  const bucket = await transaction.bucket.findUniqueOrThrow({ where: { id: bucketId } });
  const keyIssuer = await transaction.keyIssuer.findFirst({ where: { tenantId, bucketId } });
  const ids = [oldSigningKeyId, newSigningKeyId].filter((key) => key !== null);
  const keys = await transaction.signingKey.findMany({
    where: { tenantId, bucketId, OR: [{ id: { in: ids } }, { state: 'active' }] },
  });
  return {
    id,
    tenantId,
    lease,
    mode: row.mode,
    reason: row.reason,
    step: row.step as RotationStep,
    steps: row.steps as unknown as StepRecord[],
    attempts: row.attempts,
    bucket,
    keyIssuer: keyIssuer && toKeyIssuerRow(keyIssuer),
    oldKey: keys.find((key) => key.id === oldSigningKeyId) ?? null,
    newKey: keys.find((key) => key.id === newSigningKeyId) ?? null,
    activeKey: keys.find((key) => key.state === 'active') ?? null,
    intent: row.intent as unknown as Attempt | null,
    leftovers: row.leftovers as unknown as Attempt[],
    wasAccepted: row.wasAccepted,
  };
}

/** The schema's names have no hyphens. */
function toKeyIssuerRow<Row extends { type: string }>(row: Row): Omit<Row, 'type'> & Pick<KeyIssuerRow, 'type'> {
  return { ...row, type: row.type.replace('_', '-') as KeyIssuerType };
}
