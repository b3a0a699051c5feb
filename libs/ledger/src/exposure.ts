import type { Transaction } from '@countersign/database';

/**
 * What is out under a signing key: URLs, forms among them, that were issued and have not expired. Of the parts of an upload each counts,
 * and of a pair; a stable URL counts once, however often it was given. A rotation's own do not count.
 */
export interface SigningKeyExposure {
  signingKeyId: string;
  liveUrls: number;
  subjects: number;
  latestExpiresAt: Date | null;
  /** Also of a URL that has expired; null where there was never one. */
  lastIssuedAt: Date | null;
}

/** What is out under each of these keys, at this moment, straight from the ledger. */
export async function readExposure(
  transaction: Transaction,
  tenantId: string,
  signingKeyIds: readonly string[],
): Promise<SigningKeyExposure[]> {
  return transaction.$queryRaw<SigningKeyExposure[]>`
    SELECT k.id AS "signingKeyId", e.live_urls::integer AS "liveUrls", e.subjects::integer AS subjects,
           e.latest_expires_at AS "latestExpiresAt", e.last_issued_at AS "lastIssuedAt"
      FROM unnest(${[...signingKeyIds]}::uuid[]) AS k(id), LATERAL signing_key_exposure(${tenantId}::uuid, k.id) AS e`;
}
