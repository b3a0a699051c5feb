import { readExposure } from '@countersign/ledger';
import { recordChange } from '@countersign/ledger';
import { type Exposure, NO_EXPOSURE, type Rotation, type RotationLedger } from '@countersign/signing-keys';
import type { Transaction } from '@countersign/database';

/** Whom the ledger names where a rotation acts by itself. No token can have this subject. */
export const ROTATION_SUBJECT = 'system:rotation';

/** What the ledger notes of a worker in place of a caller: the rotation's id stands for the request's. */
export const askerOfRotation = ({ id, tenantId }: Pick<Rotation, 'id' | 'tenantId'>) => ({
  tenantId,
  subject: ROTATION_SUBJECT,
  clientAddress: null,
  userAgent: null,
  requestId: id,
});

/** The ledger, as rotations see it. */
export const rotationLedger: RotationLedger = {
  exposureOf,

  record: (transaction, rotation, { action, signingKeyId, details }) =>
    recordChange(transaction, {
      ...askerOfRotation(rotation),
      action,
      bucket: rotation.bucket.name,
      ...(signingKeyId === undefined ? {} : { signingKeyId }),
      details: { rotationId: rotation.id, mode: rotation.mode, reason: rotation.reason, ...details },
    }),
};

/** What is out under a key; of no key, nothing. */
export async function exposureOf(
  transaction: Transaction,
  tenantId: string,
  signingKeyId: string | null,
): Promise<Exposure> {
  if (signingKeyId === null) return NO_EXPOSURE;
  const [exposure] = await readExposure(transaction, tenantId, [signingKeyId]);
  return exposure ? toExposure(exposure) : NO_EXPOSURE;
}

export function toExposure({ liveUrls, subjects, latestExpiresAt }: Counted): Exposure {
  return { liveUrls, subjects, latestExpiresAt: latestExpiresAt?.toISOString() ?? null };
}

interface Counted {
  liveUrls: number;
  subjects: number;
  latestExpiresAt: Date | null;
}
