import { randomUUID } from 'node:crypto';
import type { Transaction } from '@countersign/database';
import type { CredentialSeal } from '@countersign/signing-keys';
import type { BucketCredentials } from '../buckets/buckets.dto.js';
import { invalid } from '../http/request-validation.pipe.js';

/**
 * Keeps a signing key that was made by hand; it signs once the store was seen accepting it. Gives its id.
 * @throws ProblemError for one that could never do so.
 */
export async function keepGivenKey(
  transaction: Transaction,
  seal: CredentialSeal,
  { tenantId, bucketId }: { tenantId: string; bucketId: string },
  { accessKeyId, secretAccessKey, sessionToken, expiresAt }: BucketCredentials,
): Promise<string> {
  if (sessionToken !== undefined && expiresAt === undefined) {
    const message = 'must be given with sessionToken: no URL can live longer than the session that signs it';
    throw invalid([{ pointer: '/credential/expiresAt', message }]);
  }
  if (expiresAt !== undefined && Date.parse(expiresAt) <= Date.now()) {
    throw invalid([{ pointer: '/credential/expiresAt', message: 'must be in the future' }]);
  }
  const where = { tenantId, bucketId, accessKeyId, state: { not: 'deleted' as const } };
  if ((await transaction.signingKey.count({ where })) > 0) {
    throw invalid([{ pointer: '/credential/accessKeyId', message: 'must be another access key than before' }]);
  }
  const signingKeyId = randomUUID();
  const secrets = { secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) };
  await transaction.signingKey.create({
    data: {
      id: signingKeyId,
      tenantId,
      bucketId,
      accessKeyId,
      sealedCredential: new Uint8Array(seal.seal(secrets, { tenantId, signingKeyId })),
      state: 'probing',
      expiresAt: expiresAt === undefined ? null : new Date(expiresAt),
    },
    select: { id: true },
  });
  return signingKeyId;
}
