import { randomUUID } from 'node:crypto';
import { asOwner, Prisma, type Transaction } from '@countersign/database';
import { recordChange } from '@countersign/ledger';
import type { CredentialSeal, KeyIssuer, KeyIssuers } from '@countersign/signing-keys';
import { changeOf, DEMO_BUCKET } from '../../../prisma/seed.js';

interface BucketRow {
  tenantId: string;
  bucketId: string;
}

interface KeyRow {
  id: string;
  accessKeyId: string | null;
  sealedCredential: Uint8Array | null;
  state: string;
}

/**
 * Sees to it that the demo bucket's keys can do what their rows say. A rotation is left as it is, be it done or under way, and so is a key
 * that was revoked. But where the encryption key, the store or the database is another than at the last start, so that a key cannot be
 * opened or the store does not believe it, all keys are given up and a new one is put in their place.
 */
export async function keepDemoKey(ownerUrl: string, seal: CredentialSeal, keyIssuers: KeyIssuers): Promise<void> {
  await asOwner(ownerUrl, async (transaction) => {
    const where = { name: DEMO_BUCKET, tenant: { slug: 'demo' } };
    const { id: bucketId, tenantId } = await transaction.bucket.findFirstOrThrow({ where });
    const keyIssuer = keyIssuers.of({ tenantId, bucketId, type: 'embedded', settings: {}, sealedCredential: null });
    const keys = await transaction.signingKey.findMany({ where: { tenantId, bucketId } });
    const fits = await Promise.all(keys.map((key) => isAsItsRowSays(key, tenantId, seal, keyIssuer)));
    if (keys.length > 0 && fits.every(Boolean)) return;

    await giveUp(transaction, { tenantId, bucketId }, keys, keyIssuer);
    await putInPlace(transaction, { tenantId, bucketId }, seal, keyIssuer);
  });
}

/** A key that is to sign must be believed by the store; of any other it is enough that it can be opened. */
async function isAsItsRowSays(
  key: KeyRow,
  tenantId: string,
  seal: CredentialSeal,
  keyIssuer: KeyIssuer,
): Promise<boolean> {
  if (key.sealedCredential === null || key.accessKeyId === null) return true;
  try {
    seal.open(Buffer.from(key.sealedCredential), { tenantId, signingKeyId: key.id });
  } catch {
    return false;
  }
  return !['active', 'probing'].includes(key.state) || (await isBelieved(key.accessKeyId, keyIssuer));
}

/** What the store lists, it believes. */
async function isBelieved(accessKeyId: string, keyIssuer: KeyIssuer): Promise<boolean> {
  const intent = { accessKeyId, knownAccessKeyIds: [], preparedAt: new Date().toISOString() };
  return (await keyIssuer.afterUnknown(intent)).kind === 'unused';
}

async function giveUp(
  transaction: Transaction,
  { tenantId, bucketId }: BucketRow,
  keys: KeyRow[],
  keyIssuer: KeyIssuer,
): Promise<void> {
  const why = 'The encryption key, the storage or the database was replaced: the next start put a new key in place.';
  await transaction.rotation.updateMany({
    where: { tenantId, bucketId, state: { not: 'done' } },
    data: { state: 'done', problem: why, finishedAt: new Date(), waitingFor: Prisma.DbNull, lease: null },
  });
  for (const { accessKeyId, state } of keys) {
    if (accessKeyId !== null && state !== 'deleted') await keyIssuer.remove(accessKeyId);
  }
  await transaction.signingKey.updateMany({
    where: { tenantId, bucketId },
    data: { state: 'deleted', sealedCredential: null },
  });
}

async function putInPlace(
  transaction: Transaction,
  { tenantId, bucketId }: BucketRow,
  seal: CredentialSeal,
  keyIssuer: KeyIssuer,
): Promise<void> {
  const { accessKeyId, secretAccessKey } = await keyIssuer.create(await keyIssuer.prepare());
  const id = randomUUID();
  const sealedCredential = new Uint8Array(seal.seal({ secretAccessKey }, { tenantId, signingKeyId: id }));
  await transaction.signingKey.create({
    data: { id, tenantId, bucketId, state: 'active', accessKeyId, sealedCredential },
  });
  const change = changeOf(tenantId, 'signing-key.created', { accessKeyId });
  await recordChange(transaction, { ...change, bucket: DEMO_BUCKET, signingKeyId: id });
}
