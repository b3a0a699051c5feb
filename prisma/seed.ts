import { randomUUID } from 'node:crypto';
import { asOwner, type Prisma, type Transaction } from '@countersign/database';
import type { JsonWebKeySet } from '@countersign/identity';
import { recordChange } from '@countersign/ledger';
import { lookupPathOf } from '@countersign/permissions';
import { defaultUseCases } from '@countersign/policy';
import type { CredentialSeal } from '@countersign/signing-keys';

/** What the demo tenant is made of. */
export interface Demo {
  issuer: string;
  jwks: JsonWebKeySet;
  storage: string;
  /** The bucket's name at the store. */
  storageBucket: string;
  region: string;
  accessKeyId: string;
  secretAccessKey: string;
}

export const DEMO_BUCKET = 'demo';
export const AUDIENCE = 'countersign';
export const PLATFORM_AUDIENCE = 'countersign-platform';

/**
 * The demo tenant: an issuer, a platform issuer, one bucket with its signing key, and grants. Everyone has `users/{sub}/`, alice also has
 * `reports/`; nobody has the whole bucket. Seeded again, it keeps what is there and follows what has moved (the store's port, a key).
 */
export async function seed(ownerUrl: string, seal: CredentialSeal, demo: Demo): Promise<void> {
  await asOwner(ownerUrl, async (transaction) => {
    const tenantId = await seedTenant(transaction);
    for (const [audience, platform] of [[AUDIENCE, false] as const, [PLATFORM_AUDIENCE, true] as const]) {
      const keys = { jwks: demo.jwks as unknown as Prisma.InputJsonObject, algorithms: ['ES256'] };
      await transaction.issuer.upsert({
        where: { issuer_audience: { issuer: demo.issuer, audience } },
        create: { tenantId, issuer: demo.issuer, audience, platform, ...keys },
        update: keys,
      });
    }
    await seedBucket(transaction, tenantId, seal, demo);
  });
}

async function seedTenant(transaction: Transaction): Promise<string> {
  const known = await transaction.tenant.findUnique({ where: { slug: 'demo' } });
  if (known) return known.id;
  const { id: tenantId } = await transaction.tenant.create({ data: { slug: 'demo', name: 'Demo' } });
  const useCases = defaultUseCases.map((useCase) => ({
    tenantId,
    ...useCase,
    contentTypes: [...useCase.contentTypes],
  }));
  await transaction.useCase.createMany({ data: useCases });
  await recordChange(transaction, changeOf(tenantId, 'tenant.created', { tenant: 'demo' }));
  return tenantId;
}

async function seedBucket(transaction: Transaction, tenantId: string, seal: CredentialSeal, demo: Demo): Promise<void> {
  const location = { endpoint: demo.storage, region: demo.region, bucket: demo.storageBucket, forcePathStyle: true };
  const where = { tenantId_name: { tenantId, name: DEMO_BUCKET } };
  const known = await transaction.bucket.findUnique({ where });
  const { id: bucketId } = known
    ? await transaction.bucket.update({ where, data: location })
    : await transaction.bucket.create({
        data: { tenantId, name: DEMO_BUCKET, provider: 's3', acl: 'private', ...location },
      });
  await seedSigningKey(transaction, { tenantId, bucketId }, seal, demo);
  if (known) return;

  await recordChange(transaction, {
    ...changeOf(tenantId, 'bucket.created', { bucket: location }),
    bucket: DEMO_BUCKET,
  });
  for (const [subjectType, subjectId, path] of [
    ['everyone', '', 'users/{sub}/'] as const,
    ['user', 'alice', 'reports/'] as const,
  ]) {
    const grant = { subjectType, subjectId, path, isPrefix: true, lookupPath: lookupPathOf(path, true) };
    await transaction.grant.create({ data: { tenantId, bucketId, ...grant, actions: ['read', 'write'] } });
    await recordChange(transaction, {
      ...changeOf(tenantId, 'grant.created', { grant }),
      bucket: DEMO_BUCKET,
      key: path,
    });
  }
}

/** The active signing key, sealed anew: the encryption key or the store's key may be another than at the last start. */
async function seedSigningKey(
  transaction: Transaction,
  { tenantId, bucketId }: { tenantId: string; bucketId: string },
  seal: CredentialSeal,
  { accessKeyId, secretAccessKey }: Demo,
): Promise<void> {
  const active = await transaction.signingKey.findFirst({ where: { tenantId, bucketId, state: 'active' } });
  const id = active?.id ?? randomUUID();
  const data = {
    accessKeyId,
    sealedCredential: new Uint8Array(seal.seal({ secretAccessKey }, { tenantId, signingKeyId: id })),
  };
  await transaction.signingKey.upsert({
    where: { id },
    create: { id, tenantId, bucketId, state: 'active', ...data },
    update: data,
  });
}

function changeOf(tenantId: string, action: string, details: Record<string, unknown>) {
  return { tenantId, subject: 'system:seed', clientAddress: null, userAgent: null, requestId: 'seed', action, details };
}
