import { Injectable } from '@nestjs/common';
import { Database, isUniqueViolation, type Prisma } from '@countersign/database';
import { ProblemError } from '@countersign/errors';
import { algorithmsOf } from '@countersign/identity';
import { recordChange } from '@countersign/ledger';
import { askerOf, type Caller } from '../http/caller.js';
import { type PageQuery, readCursor, toPage, UUID } from '../http/paging.js';
import type { IssuerPage, IssuerRequest, IssuerResponse } from './issuers.dto.js';

const withTenant = { include: { tenant: { select: { slug: true } } } } as const;

/** Whose JWTs are trusted for which tenant, as the platform's operator says. */
@Injectable()
export class Issuers {
  constructor(private readonly database: Database) {}

  /** The change stands in the ledger of the tenant that it concerns. */
  async create(caller: Caller, request: IssuerRequest): Promise<IssuerResponse> {
    const { issuer, audience, jwks, platform = false, algorithms = algorithmsOf(jwks) } = request;
    try {
      return await this.database.asOperator(async (transaction) => {
        const tenant = await transaction.tenant.findUnique({ where: { slug: request.tenant } });
        if (!tenant) throw unknownTenant(request.tenant);
        const data = {
          tenantId: tenant.id,
          issuer,
          audience,
          jwks: jwks as unknown as Prisma.InputJsonObject,
          algorithms,
          platform,
        };
        const response = toResponse(await transaction.issuer.create({ data, ...withTenant }));
        const details = { issuer: { ...response } };
        await recordChange(transaction, { ...askerOf(caller), tenantId: tenant.id, action: 'issuer.created', details });
        return response;
      });
    } catch (error) {
      if (!isUniqueViolation(error)) throw error;
      const errors = [{ pointer: '/issuer', message: 'is taken for this audience' }];
      throw new ProblemError('already-exists', 'There is an issuer with this audience already.', { errors });
    }
  }

  async list({ limit = 50, cursor }: PageQuery): Promise<IssuerPage> {
    const after = readCursor(cursor, [UUID])?.[0];
    const where = after === undefined ? {} : { id: { gt: after } };
    const issuers = await this.database.asOperator((transaction) =>
      transaction.issuer.findMany({ where, orderBy: { id: 'asc' }, take: limit + 1, ...withTenant }),
    );
    return toPage(issuers, limit, toResponse, (issuer) => [issuer.id]);
  }
}

function unknownTenant(slug: string): ProblemError {
  const errors = [{ pointer: '/tenant', message: 'is not a tenant', code: 'unknown-reference' as const }];
  return new ProblemError('unknown-reference', `There is no tenant "${slug}".`, { errors });
}

interface StoredIssuer extends Omit<IssuerResponse, 'tenant' | 'jwks' | 'createdAt'> {
  tenant: { slug: string };
  jwks: unknown;
  createdAt: Date;
}

function toResponse({
  id,
  tenant,
  issuer,
  audience,
  jwks,
  algorithms,
  platform,
  createdAt,
}: StoredIssuer): IssuerResponse {
  const keys = jwks as Record<string, unknown>;
  return {
    id,
    tenant: tenant.slug,
    issuer,
    audience,
    jwks: keys,
    algorithms,
    platform,
    createdAt: createdAt.toISOString(),
  };
}
