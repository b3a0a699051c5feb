import { Injectable } from '@nestjs/common';
import { Database, isUniqueViolation, type Transaction } from '@countersign/database';
import { ProblemError } from '@countersign/errors';
import { type Asker, recordChange } from '@countersign/ledger';
import { defaultUseCases } from '@countersign/policy';
import { askerOf, type Caller } from '../http/caller.js';
import { assertUnchanged } from '../http/etag.js';
import { notFound } from '../http/not-found.js';
import type { PageQuery } from '../http/page-query.dto.js';
import { NAME, readCursor, toPage } from '../http/paging.js';
import type { Once } from '../idempotency/once.js';
import { onlyOnce } from '../idempotency/only-once.js';
import type { TenantChanges, TenantPage, TenantRequest, TenantResponse } from './tenants.dto.js';

/** The customers of the service, as its operator sees them. */
@Injectable()
export class Tenants {
  constructor(private readonly database: Database) {}

  async create(caller: Caller, request: TenantRequest, once: Once | null = null): Promise<TenantResponse> {
    try {
      const create = onlyOnce(caller, once, (transaction) => addTenant(transaction, askerOf(caller), request));
      return await this.database.asOperator(create);
    } catch (error) {
      if (!isUniqueViolation(error)) throw error;
      throw new ProblemError('already-exists', `There is a tenant "${request.slug}" already.`, {
        errors: [{ pointer: '/slug', message: 'is taken' }],
      });
    }
  }

  async list({ limit = 50, cursor }: PageQuery): Promise<TenantPage> {
    const after = readCursor(cursor, [NAME])?.[0];
    const where = after === undefined ? {} : { slug: { gt: after } };
    const tenants = await this.database.asOperator((transaction) =>
      transaction.tenant.findMany({ where, orderBy: { slug: 'asc' }, take: limit + 1 }),
    );
    return toPage(tenants, limit, toResponse, (tenant) => [tenant.slug]);
  }

  async get(slug: string): Promise<TenantResponse> {
    const tenant =
      NAME.test(slug) &&
      (await this.database.asOperator((transaction) => transaction.tenant.findUnique({ where: { slug } })));
    if (!tenant) throw notFound('tenant');
    return toResponse(tenant);
  }

  /** The change stands in the ledger of the tenant that it concerns. */
  async change(
    caller: Caller,
    slug: string,
    { name, state }: TenantChanges,
    ifMatch: string | undefined,
  ): Promise<TenantResponse> {
    if (!NAME.test(slug)) throw notFound('tenant');
    return this.database.asOperator(async (transaction) => {
      await transaction.$queryRaw`SELECT FROM tenants WHERE slug = ${slug} FOR UPDATE`;
      const before = await transaction.tenant.findUnique({ where: { slug } });
      if (!before) throw notFound('tenant');
      assertUnchanged(ifMatch, toResponse(before));
      if (state === 'suspended' && before.id === caller.tenantId) {
        throw new ProblemError(
          'in-use',
          'This is the tenant of your own token: suspended, it could not be made active again.',
        );
      }
      const data = { ...(name === undefined ? {} : { name }), ...(state === undefined ? {} : { state }) };
      const tenant = toResponse(await transaction.tenant.update({ where: { slug }, data }));
      const action =
        tenant.state === before.state
          ? 'tenant.changed'
          : tenant.state === 'suspended'
            ? 'tenant.suspended'
            : 'tenant.reactivated';
      await recordChange(transaction, {
        ...askerOf(caller),
        tenantId: before.id,
        action,
        details: { before: toResponse(before), tenant },
      });
      return tenant;
    });
  }
}

/** A tenant, with the default use cases as rows of its own. The change stands in the new tenant's ledger. */
export async function addTenant(
  transaction: Transaction,
  asker: Omit<Asker, 'tenantId'>,
  { slug, name }: TenantRequest,
): Promise<TenantResponse> {
  const tenant = await transaction.tenant.create({ data: { slug, name } });
  const useCases = defaultUseCases.map((useCase) => ({
    tenantId: tenant.id,
    ...useCase,
    contentTypes: [...useCase.contentTypes],
  }));
  await transaction.useCase.createMany({ data: useCases });
  const response = toResponse(tenant);
  const change = { ...asker, tenantId: tenant.id, action: 'tenant.created', details: { tenant: { ...response } } };
  await recordChange(transaction, change);
  return response;
}

interface StoredTenant extends Omit<TenantResponse, 'createdAt'> {
  createdAt: Date;
}

function toResponse({ id, slug, name, state, createdAt }: StoredTenant): TenantResponse {
  return { id, slug, name, state, createdAt: createdAt.toISOString() };
}
