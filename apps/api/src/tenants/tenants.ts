import { Injectable } from '@nestjs/common';
import { Database, isUniqueViolation } from '@countersign/database';
import { ProblemError } from '@countersign/errors';
import { recordChange } from '@countersign/ledger';
import { defaultUseCases } from '@countersign/policy';
import { askerOf, type Caller } from '../http/caller.js';
import { type PageQuery, readCursor, toPage } from '../http/paging.js';
import type { TenantPage, TenantRequest, TenantResponse } from './tenants.dto.js';

/** The customers of the service, as its operator sees them. */
@Injectable()
export class Tenants {
  constructor(private readonly database: Database) {}

  /** A tenant, with the default use cases as rows of its own. The change stands in the new tenant's ledger. */
  async create(caller: Caller, { slug, name }: TenantRequest): Promise<TenantResponse> {
    try {
      return await this.database.asOperator(async (transaction) => {
        const tenant = await transaction.tenant.create({ data: { slug, name } });
        const useCases = defaultUseCases.map((useCase) => ({
          tenantId: tenant.id,
          ...useCase,
          contentTypes: [...useCase.contentTypes],
        }));
        await transaction.useCase.createMany({ data: useCases });
        const response = toResponse(tenant);
        const change = {
          ...askerOf(caller),
          tenantId: tenant.id,
          action: 'tenant.created',
          details: { tenant: { ...response } },
        };
        await recordChange(transaction, change);
        return response;
      });
    } catch (error) {
      if (!isUniqueViolation(error)) throw error;
      throw new ProblemError('already-exists', `There is a tenant "${slug}" already.`, {
        errors: [{ pointer: '/slug', message: 'is taken' }],
      });
    }
  }

  async list({ limit = 50, cursor }: PageQuery): Promise<TenantPage> {
    const after = readCursor(cursor, [/^[a-z0-9._-]{1,63}$/])?.[0];
    const where = after === undefined ? {} : { slug: { gt: after } };
    const tenants = await this.database.asOperator((transaction) =>
      transaction.tenant.findMany({ where, orderBy: { slug: 'asc' }, take: limit + 1 }),
    );
    return toPage(tenants, limit, toResponse, (tenant) => [tenant.slug]);
  }
}

function toResponse({
  id,
  slug,
  name,
  createdAt,
}: {
  id: string;
  slug: string;
  name: string;
  createdAt: Date;
}): TenantResponse {
  return { id, slug, name, createdAt: createdAt.toISOString() };
}
