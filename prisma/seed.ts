import { asOwner, type Prisma, type Transaction } from '@countersign/database';
import type { JsonWebKeySet } from '@countersign/identity';
import { recordChange } from '@countersign/ledger';
import { lookupPathOf } from '@countersign/permissions';
import { defaultUseCases } from '@countersign/policy';

/** What the demo tenant is made of. */
export interface Demo {
  issuer: string;
  jwks: JsonWebKeySet;
  storage: string;
  /** The bucket's name at the store. */
  storageBucket: string;
  region: string;
}

export const DEMO_BUCKET = 'demo';
export const AUDIENCE = 'countersign';
export const PLATFORM_AUDIENCE = 'countersign-platform';

/**
 * The demo tenant: an issuer, a platform issuer, one bucket whose keys the embedded store makes, and grants. Everyone has `users/{sub}/`,
 * alice also has `reports/`; nobody has the whole bucket. Seeded again, it keeps what is there and follows what has moved (the store's port,
 * the issuer's key). The bucket has no signing key yet.
 */
export async function seed(ownerUrl: string, demo: Demo): Promise<void> {
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
    await seedBucket(transaction, tenantId, demo);
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

async function seedBucket(transaction: Transaction, tenantId: string, demo: Demo): Promise<void> {
  const location = { endpoint: demo.storage, region: demo.region, bucket: demo.storageBucket, forcePathStyle: true };
  const where = { tenantId_name: { tenantId, name: DEMO_BUCKET } };
  const known = await transaction.bucket.findUnique({ where });
  const { id: bucketId } = known
    ? await transaction.bucket.update({ where, data: location })
    : await transaction.bucket.create({
        data: { tenantId, name: DEMO_BUCKET, provider: 's3', acl: 'private', ...location },
      });
  await seedKeyIssuer(transaction, { tenantId, bucketId });
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

/** Where there is none: a database of before there were any, or a bucket whose keys somebody changes by hand, but not just now. */
async function seedKeyIssuer(transaction: Transaction, bucket: { tenantId: string; bucketId: string }): Promise<void> {
  const isBusy = (await transaction.rotation.count({ where: { ...bucket, state: { not: 'done' } } })) > 0;
  if (isBusy || (await transaction.keyIssuer.count({ where: bucket })) > 0) return;
  await transaction.keyIssuer.create({ data: { ...bucket, type: 'embedded', settings: {} } });
}

/** What the ledger notes where the start itself changes something. */
export function changeOf(tenantId: string, action: string, details: Record<string, unknown>) {
  return { tenantId, subject: 'system:seed', clientAddress: null, userAgent: null, requestId: 'seed', action, details };
}
