import { Prisma, type Transaction } from '@countersign/database';
import type { CredentialSeal } from './credential-seal.js';
import type { CreationIntent, IssuedKey } from './key-issuers/key-issuer.js';
import type { Changes, Work } from './leased-rotations.js';
import type { RotationLedger } from './rotation-ledger.js';
import type { Attempt, Control, RotatedKey } from './rotation.js';

// What a rotation records: of its signing keys and of itself, each in one transaction with the step that it belongs to.

/** A key is about to be made: its row is there before it is, with its name where we choose it. */
export const intend =
  (intent: CreationIntent): Work =>
  async (transaction, { tenantId, bucket, newKey }) => {
    const { accessKeyId } = intent;
    if (newKey) {
      await changeKey(transaction, newKey, { accessKeyId });
      return { intent: toJson(intent) };
    }
    const data = { tenantId, bucketId: bucket.id, accessKeyId, state: 'creating' as const };
    const { id } = await transaction.signingKey.create({ data, select: { id: true } });
    return { intent: toJson(intent), newSigningKeyId: id };
  };

/** It is made: from now on its secret is ours to keep. */
export const keepIssued =
  ({ accessKeyId, secretAccessKey }: IssuedKey, seal: CredentialSeal): Work =>
  async (transaction, { tenantId, newKey }) => {
    if (!newKey) throw new Error('a key was made without a row');
    const sealed = seal.seal({ secretAccessKey }, { tenantId, signingKeyId: newKey.id });
    await changeKey(transaction, newKey, {
      accessKeyId,
      sealedCredential: new Uint8Array(sealed),
      state: 'probing',
    });
    return { intent: Prisma.DbNull };
  };

/** Nothing was made, for certain. */
export const dropIntent: Work = () => Promise.resolve({ intent: Prisma.DbNull });

/** Nothing seems to have been made. */
export const setAside =
  (intent: Attempt): Work =>
  (_, { leftovers }) =>
    Promise.resolve({ intent: Prisma.DbNull, leftovers: toJson([...leftovers, intent]) });

/** The name of a key whose secret is lost: on record before it is taken away. */
export const nameUnused =
  (intent: Attempt, unusedAccessKeyId: string): Work =>
  async (transaction, { newKey }) => {
    if (newKey) await changeKey(transaction, newKey, { accessKeyId: unusedAccessKeyId });
    return { intent: toJson({ ...intent, unusedAccessKeyId }) };
  };

export const forgetUnused: Work = async (transaction, { newKey }) => {
  if (newKey) await changeKey(transaction, newKey, { state: 'deleted' });
  return { intent: Prisma.DbNull, newSigningKeyId: null };
};

/** Nobody but the operator can tell whether it was made, and which it is: the next attempt is another one. */
export const giveUpIntent: Work = async (transaction, { newKey }) => {
  if (newKey) await changeKey(transaction, newKey, { state: 'needs_operator' });
  return { intent: Prisma.DbNull, newSigningKeyId: null };
};

/** The same for a key that came to light late: it gets a row of its own. */
export const nameLeftover =
  (leftover: Attempt, unusedAccessKeyId: string): Work =>
  async (transaction, { tenantId, bucket, leftovers }) => {
    const data = { tenantId, bucketId: bucket.id, accessKeyId: unusedAccessKeyId, state: 'creating' as const };
    await transaction.signingKey.create({ data, select: { id: true } });
    const named = (other: Attempt) => (isSame(other, leftover) ? { ...other, unusedAccessKeyId } : other);
    return { leftovers: toJson(leftovers.map(named)) };
  };

export const dropLeftover =
  (leftover: Attempt): Work =>
  async (transaction, { tenantId, bucket, leftovers }) => {
    const found = leftovers.find((other) => isSame(other, leftover))?.unusedAccessKeyId;
    const where = { tenantId, bucketId: bucket.id, accessKeyId: found ?? '', state: 'creating' as const };
    await transaction.signingKey.updateMany({ where, data: { state: 'deleted' } });
    return { leftovers: toJson(leftovers.filter((other) => !isSame(other, leftover))) };
  };

const isSame = (one: Attempt, other: Attempt): boolean =>
  one.preparedAt === other.preparedAt && one.accessKeyId === other.accessKeyId;

/**
 * The new key signs, and the old one no more. The exclusive lock waits for issuances that are under way, so what is counted after it,
 * in a later statement, is all there will ever be under the old key.
 */
export const promote =
  (ledger: RotationLedger): Work =>
  async (transaction, rotation) => {
    const { tenantId, oldKey, newKey, mode } = rotation;
    if (!newKey) throw new Error('there is no key to promote');
    const promoted: Changes = {};
    if (oldKey && mode === 'graceful') {
      await lockSigningKey(transaction, oldKey.id);
      await changeKey(transaction, oldKey, { state: 'retiring' });
      promoted.exposureBefore = toJson(await ledger.exposureOf(transaction, tenantId, oldKey.id));
    }
    await changeKey(transaction, newKey, { state: 'active' });
    const details = { accessKeyId: newKey.accessKeyId, replaces: oldKey?.id ?? null };
    await ledger.record(transaction, rotation, { action: 'rotation.promoted', signingKeyId: newKey.id, details });
    return promoted;
  };

/** No append under this key is under way, nor begins, until the transaction ends. */
export async function lockSigningKey(transaction: Transaction, id: string): Promise<void> {
  await transaction.$queryRaw`SELECT pg_advisory_xact_lock(signing_key_lock(${id}::uuid))::text`;
}

export const cutOff: Work = async (transaction, { oldKey }) => {
  if (oldKey) await changeKey(transaction, oldKey, { state: 'disabling' });
  return {};
};

export const sawAccepted: Work = () => Promise.resolve({ wasAccepted: true });

/** It was proven. */
export const revoke =
  (control: Control, ledger: RotationLedger): Work =>
  async (transaction, rotation) => {
    const { oldKey } = rotation;
    if (!oldKey) throw new Error('there is no key to revoke');
    await changeKey(transaction, oldKey, { state: 'revoked' });
    const details = { accessKeyId: oldKey.accessKeyId, control };
    await ledger.record(transaction, rotation, { action: 'rotation.revoked', signingKeyId: oldKey.id, details });
    const [{ now }] = await transaction.$queryRaw<[{ now: Date }]>`SELECT clock_timestamp() AS now`;
    return { revokedAt: now, control: toJson(control) };
  };

/** Its name stays; its secret goes. */
export const forgetOld: Work = async (transaction, { oldKey }) => {
  if (oldKey) await changeKey(transaction, oldKey, { state: 'deleted', sealedCredential: null });
  return {};
};

async function changeKey(
  transaction: Transaction,
  { id }: RotatedKey,
  data: Prisma.SigningKeyUpdateInput,
): Promise<void> {
  await transaction.signingKey.update({ where: { id }, data, select: { id: true } });
}

const toJson = (value: object): Prisma.InputJsonObject => value;
