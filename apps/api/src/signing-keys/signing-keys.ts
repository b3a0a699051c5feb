import { Injectable } from '@nestjs/common';
import { Database, type Prisma } from '@countersign/database';
import { readExposure, type SigningKeyExposure } from '@countersign/ledger';
import { NO_EXPOSURE } from '@countersign/signing-keys';
import type { Caller } from '../http/caller.js';
import { readCursor, toPage, UUID } from '../http/paging.js';
import { toExposure } from '../rotations/rotation-ledger.js';
import type { SigningKeyPage, SigningKeyResponse, SigningKeysQuery } from './signing-keys.dto.js';

/** Milliseconds since the epoch. */
const INSTANT = /^\d{1,14}$/;

const READABLE = {
  select: { id: true, accessKeyId: true, state: true, createdAt: true, bucket: { select: { name: true } } },
} as const;

type StoredKey = Prisma.SigningKeyGetPayload<typeof READABLE>;

/** The tenant's signing keys, without their secrets: those never come out. */
@Injectable()
export class SigningKeys {
  constructor(private readonly database: Database) {}

  async list({ tenantId }: Caller, { limit = 50, cursor, bucket }: SigningKeysQuery): Promise<SigningKeyPage> {
    const [instant, id] = readCursor(cursor, [INSTANT, UUID]) ?? [];
    const createdAt = new Date(Number(instant));
    const where: Prisma.SigningKeyWhereInput = {
      tenantId,
      ...(bucket === undefined ? {} : { bucket: { name: bucket } }),
      ...(id === undefined ? {} : { OR: [{ createdAt: { lt: createdAt } }, { createdAt, id: { lt: id } }] }),
    };
    return this.database.asTenant(tenantId, async (transaction) => {
      const orderBy = [{ createdAt: 'desc' as const }, { id: 'desc' as const }];
      const keys = await transaction.signingKey.findMany({ where, orderBy, take: limit + 1, ...READABLE });
      const counted = await readExposure(
        transaction,
        tenantId,
        keys.map((key) => key.id),
      );
      const exposures = new Map(counted.map((exposure) => [exposure.signingKeyId, exposure]));
      return toPage(
        keys,
        limit,
        (key) => toResponse(key, exposures.get(key.id)),
        (key) => [String(key.createdAt.getTime()), key.id],
      );
    });
  }
}

function toResponse(key: StoredKey, exposure: SigningKeyExposure | undefined): SigningKeyResponse {
  const { id, bucket, accessKeyId, state, createdAt } = key;
  const isDead = state === 'revoked' || state === 'deleted';
  return {
    id,
    bucket: bucket.name,
    accessKeyId,
    state: state === 'needs_operator' ? 'needs-operator' : state,
    createdAt: createdAt.toISOString(),
    lastIssuedAt: exposure?.lastIssuedAt?.toISOString() ?? null,
    exposure: isDead || !exposure ? NO_EXPOSURE : toExposure(exposure),
  };
}
