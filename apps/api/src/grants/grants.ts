import { Injectable } from '@nestjs/common';
import { Database } from '@countersign/database';
import { ProblemError } from '@countersign/errors';
import { recordChange } from '@countersign/ledger';
import { canCover, lookupPathOf, lookupPaths } from '@countersign/permissions';
import { askerOf, type Caller } from '../http/caller.js';
import { idOrNotFound, notFound } from '../http/not-found.js';
import { readCursor, toPage, UUID } from '../http/paging.js';
import { invalid } from '../http/request-validation.pipe.js';
import type { Once } from '../idempotency/once.js';
import { onlyOnce } from '../idempotency/only-once.js';
import type { GrantPage, GrantRequest, GrantResponse, GrantsQuery } from './grants.dto.js';

const withBucket = { include: { bucket: { select: { name: true } } } } as const;

/** Who may do what, as the tenant's administrator sees and changes it. */
@Injectable()
export class Grants {
  constructor(private readonly database: Database) {}

  async create(caller: Caller, request: GrantRequest, once: Once | null = null): Promise<GrantResponse> {
    const { path, isPrefix, subjectId } = read(request);
    const create = onlyOnce(caller, once, async (transaction) => {
      const bucket = await transaction.bucket.findFirst({ where: { tenantId: caller.tenantId, name: request.bucket } });
      if (!bucket) throw unknownBucket(request.bucket);
      const grant = await transaction.grant.create({
        data: {
          tenantId: caller.tenantId,
          bucketId: bucket.id,
          subjectType: request.subject.type,
          subjectId,
          path,
          isPrefix,
          lookupPath: lookupPathOf(path, isPrefix),
          actions: request.actions,
          effect: request.effect ?? 'allow',
          expiresAt: request.expiresAt === undefined ? null : new Date(request.expiresAt),
        },
        ...withBucket,
      });
      await recordChange(transaction, changeOf(caller, 'grant.created', toResponse(grant)));
      return toResponse(grant);
    });
    return this.database.asTenant(caller.tenantId, create);
  }

  /** With a key: the grants that cover it, found as issuing finds them, by the key's ancestors. */
  async list(caller: Caller, { limit = 50, cursor, subject, bucket, key }: GrantsQuery): Promise<GrantPage> {
    const after = readCursor(cursor, [UUID])?.[0];
    const grants = await this.database.asTenant(caller.tenantId, (transaction) =>
      transaction.grant.findMany({
        where: {
          tenantId: caller.tenantId,
          ...(bucket === undefined ? {} : { bucket: { name: bucket } }),
          ...(subject === undefined ? {} : { subjectId: subject }),
          ...(key === undefined ? {} : { lookupPath: { in: lookupPaths(key) } }),
          ...(after === undefined ? {} : { id: { gt: after } }),
        },
        orderBy: { id: 'asc' },
        take: limit + 1,
        ...withBucket,
      }),
    );
    const { items, nextCursor } = toPage(
      grants,
      limit,
      (grant) => grant,
      (grant) => [grant.id],
    );
    return { items: items.filter((grant) => key === undefined || canCover(grant, key)).map(toResponse), nextCursor };
  }

  /** Counts from the next request on (invariant 4). */
  async remove(caller: Caller, id: string): Promise<void> {
    const where = { tenantId: caller.tenantId, id: idOrNotFound(id, 'grant') };
    await this.database.asTenant(caller.tenantId, async (transaction) => {
      const grant = await transaction.grant.findFirst({ where, ...withBucket });
      // Two at once: one removes it, the other finds nothing.
      const { count } = await transaction.grant.deleteMany({ where });
      if (!grant || count === 0) throw notFound('grant');
      await recordChange(transaction, changeOf(caller, 'grant.deleted', toResponse(grant)));
    });
  }
}

/** What one DTO property cannot say: either `key` or `prefix`, and an id exactly where somebody is named. */
function read({ key, prefix, subject }: GrantRequest) {
  if (key !== undefined && prefix !== undefined)
    throw invalid([{ pointer: '/prefix', message: 'must be left out where key is given' }]);
  if (subject.type === 'everyone' && subject.id !== undefined) {
    throw invalid([{ pointer: '/subject/id', message: 'must be left out for everyone' }]);
  }
  if (subject.type !== 'everyone' && subject.id === undefined) {
    throw invalid([{ pointer: '/subject/id', message: `must name the ${subject.type}` }]);
  }
  const subjectId = subject.id ?? '';
  if (key !== undefined) return { path: key, isPrefix: false, subjectId };
  if (prefix !== undefined) return { path: prefix, isPrefix: true, subjectId };
  throw invalid([{ pointer: '/key', message: 'must be given, or prefix' }]);
}

function unknownBucket(name: string): ProblemError {
  const errors = [{ pointer: '/bucket', message: 'is not a registered bucket', code: 'unknown-reference' as const }];
  return new ProblemError('unknown-reference', `There is no bucket "${name}".`, { errors });
}

interface StoredGrant {
  id: string;
  subjectType: 'user' | 'group' | 'everyone';
  subjectId: string;
  path: string;
  isPrefix: boolean;
  actions: ('read' | 'write')[];
  effect: 'allow' | 'deny';
  expiresAt: Date | null;
  createdAt: Date;
  bucket: { name: string };
}

function toResponse(grant: StoredGrant): GrantResponse {
  const { subjectType: type, subjectId: id } = grant;
  return {
    id: grant.id,
    subject: type === 'everyone' ? { type } : { type, id },
    bucket: grant.bucket.name,
    key: grant.isPrefix ? null : grant.path,
    prefix: grant.isPrefix ? grant.path : null,
    actions: grant.actions,
    effect: grant.effect,
    expiresAt: grant.expiresAt?.toISOString() ?? null,
    createdAt: grant.createdAt.toISOString(),
  };
}

function changeOf(caller: Caller, action: string, grant: GrantResponse) {
  return { ...askerOf(caller), action, bucket: grant.bucket, key: grant.key ?? grant.prefix ?? '', details: { grant } };
}
