import { Injectable } from '@nestjs/common';
import { Database, type Transaction } from '@countersign/database';
import { recordChange } from '@countersign/ledger';
import { askerOf, type Caller } from '../http/caller.js';
import { assertUnchanged } from '../http/etag.js';
import { notFound } from '../http/not-found.js';
import type { PageQuery } from '../http/page-query.dto.js';
import { NAME, readCursor, toPage } from '../http/paging.js';
import { invalid } from '../http/request-validation.pipe.js';
import { nameFault } from '../http/validators.js';
import type { UseCasePage, UseCaseRequest, UseCaseResponse } from './use-cases.dto.js';

/** The tenant's named policies. */
@Injectable()
export class UseCases {
  constructor(private readonly database: Database) {}

  async replace(
    caller: Caller,
    name: string,
    request: UseCaseRequest,
    ifMatch: string | undefined,
  ): Promise<{ isNew: boolean; useCase: UseCaseResponse }> {
    const fault = nameFault(name);
    if (fault) throw invalid([{ pointer: '/name', message: fault }]);
    assertConsistent(request);
    const { tenantId } = caller;
    const data = {
      action: request.action,
      minExpirySeconds: request.minExpirySeconds,
      defaultExpirySeconds: request.defaultExpirySeconds,
      maxExpirySeconds: request.maxExpirySeconds,
      contentTypes: request.contentTypes ?? [],
      minContentLength: request.minContentLength ?? null,
      maxContentLength: request.maxContentLength ?? null,
      overwrite: request.overwrite ?? false,
      disposition: request.disposition ?? null,
      requireVerified: request.requireVerified ?? false,
    };
    return this.database.asTenant(tenantId, async (transaction) => {
      const where = { tenantId_name: { tenantId, name } };
      await lock(transaction, tenantId, name);
      const before = await transaction.useCase.findUnique({ where });
      assertUnchanged(ifMatch, before && toResponse(before));
      const stored = await transaction.useCase.upsert({
        where,
        create: { tenantId, name, ...data },
        update: { ...data, updatedAt: new Date() },
      });
      const useCase = toResponse(stored);
      const action = before ? 'use-case.replaced' : 'use-case.created';
      await recordChange(transaction, {
        ...askerOf(caller),
        action,
        useCase: name,
        details: { useCase, before: before && toResponse(before) },
      });
      return { isNew: before === null, useCase };
    });
  }

  async list(caller: Caller, { limit = 50, cursor }: PageQuery): Promise<UseCasePage> {
    const after = readCursor(cursor, [NAME])?.[0];
    const rows = await this.database.asTenant(caller.tenantId, (transaction) =>
      transaction.useCase.findMany({
        where: { tenantId: caller.tenantId, ...(after === undefined ? {} : { name: { gt: after } }) },
        orderBy: { name: 'asc' },
        take: limit + 1,
      }),
    );
    return toPage(rows, limit, toResponse, (row) => [row.name]);
  }

  async get({ tenantId }: Caller, name: string): Promise<UseCaseResponse> {
    const where = { tenantId_name: { tenantId, name } };
    const find = (transaction: Transaction) => transaction.useCase.findUnique({ where });
    const useCase = NAME.test(name) && (await this.database.asTenant(tenantId, find));
    if (!useCase) throw notFound('use case');
    return toResponse(useCase);
  }

  async remove(caller: Caller, name: string, ifMatch: string | undefined): Promise<void> {
    if (nameFault(name)) throw notFound('use case');
    const { tenantId } = caller;
    await this.database.asTenant(tenantId, async (transaction) => {
      await lock(transaction, tenantId, name);
      const before = await transaction.useCase.findUnique({ where: { tenantId_name: { tenantId, name } } });
      if (!before) throw notFound('use case');
      assertUnchanged(ifMatch, toResponse(before));
      await transaction.useCase.deleteMany({ where: { tenantId, name } });
      await recordChange(transaction, {
        ...askerOf(caller),
        action: 'use-case.deleted',
        useCase: name,
        details: { before: toResponse(before) },
      });
    });
  }
}

/** Whoever changes a use case waits for whoever is changing it. */
async function lock(transaction: Transaction, tenantId: string, name: string): Promise<void> {
  await transaction.$queryRaw`SELECT FROM use_cases WHERE tenant_id = ${tenantId}::uuid AND name = ${name} FOR UPDATE`;
}

/** 1 ≤ min ≤ default ≤ max, and the same of the sizes. */
function assertConsistent(request: UseCaseRequest): void {
  const {
    minExpirySeconds: min,
    defaultExpirySeconds,
    maxExpirySeconds: max,
    minContentLength,
    maxContentLength,
  } = request;
  const errors = [];
  if (min > max) errors.push({ pointer: '/minExpirySeconds', message: 'must be at most maxExpirySeconds' });
  if (defaultExpirySeconds !== null && (defaultExpirySeconds < min || defaultExpirySeconds > max)) {
    errors.push({ pointer: '/defaultExpirySeconds', message: 'must be from minExpirySeconds to maxExpirySeconds' });
  }
  if ((minContentLength ?? 0) > (maxContentLength ?? Infinity))
    errors.push({ pointer: '/minContentLength', message: 'must be at most maxContentLength' });
  if (errors.length > 0) throw invalid(errors);
}

interface StoredUseCase extends Omit<
  UseCaseResponse,
  'minContentLength' | 'maxContentLength' | 'createdAt' | 'updatedAt'
> {
  minContentLength: bigint | null;
  maxContentLength: bigint | null;
  createdAt: Date;
  updatedAt: Date;
}

function toResponse(stored: StoredUseCase): UseCaseResponse {
  return {
    name: stored.name,
    action: stored.action,
    minExpirySeconds: stored.minExpirySeconds,
    defaultExpirySeconds: stored.defaultExpirySeconds,
    maxExpirySeconds: stored.maxExpirySeconds,
    contentTypes: stored.contentTypes,
    minContentLength: stored.minContentLength === null ? null : Number(stored.minContentLength),
    maxContentLength: stored.maxContentLength === null ? null : Number(stored.maxContentLength),
    overwrite: stored.overwrite,
    disposition: stored.disposition,
    requireVerified: stored.requireVerified,
    createdAt: stored.createdAt.toISOString(),
    updatedAt: stored.updatedAt.toISOString(),
  };
}
