import { Injectable } from '@nestjs/common';
import { Config } from '@countersign/config';
import { Database, isUniqueViolation, Prisma, type Transaction } from '@countersign/database';
import { ProblemError } from '@countersign/errors';
import { algorithmsOf } from '@countersign/identity';
import { type Asker, recordChange } from '@countersign/ledger';
import { askerOf, type Caller } from '../http/caller.js';
import { assertUnchanged } from '../http/etag.js';
import { assertEndpointsAllowed, type EndpointRules } from '../http/endpoint.js';
import { idOrNotFound, notFound } from '../http/not-found.js';
import type { PageQuery } from '../http/page-query.dto.js';
import { readCursor, toPage, UUID } from '../http/paging.js';
import { invalid } from '../http/request-validation.pipe.js';
import type { Once } from '../idempotency/once.js';
import { onlyOnce } from '../idempotency/only-once.js';
import type { IssuerChanges, IssuerPage, IssuerRequest, IssuerResponse } from './issuers.dto.js';

const withTenant = { include: { tenant: { select: { slug: true } } } } as const;

/** Whose JWTs are trusted for which tenant, as the platform's operator says. */
@Injectable()
export class Issuers {
  constructor(
    private readonly config: Config,
    private readonly database: Database,
  ) {}

  async create(caller: Caller, request: IssuerRequest, once: Once | null = null): Promise<IssuerResponse> {
    assertTrustable(request, this.config);
    try {
      const create = onlyOnce(caller, once, (transaction) => addIssuer(transaction, askerOf(caller), request));
      return await this.database.asOperator(create);
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

  async get(id: string): Promise<IssuerResponse> {
    const where = { id: idOrNotFound(id, 'issuer') };
    const issuer = await this.database.asOperator((transaction) =>
      transaction.issuer.findUnique({ where, ...withTenant }),
    );
    if (!issuer) throw notFound('issuer');
    return toResponse(issuer);
  }

  /** Counts from the next request on. */
  async change(
    caller: Caller,
    id: string,
    changes: IssuerChanges,
    ifMatch: string | undefined,
  ): Promise<IssuerResponse> {
    const where = { id: idOrNotFound(id, 'issuer') };
    if (changes.jwks !== undefined && changes.jwksUri !== undefined)
      throw invalid([{ pointer: '/jwksUri', message: 'must be left out where jwks is given' }]);
    assertEndpointsAllowed({ jwksUri: changes.jwksUri }, this.config);
    return this.database.asOperator(async (transaction) => {
      const stored = await lock(transaction, id);
      const before = toResponse(stored);
      assertUnchanged(ifMatch, before);
      if (changes.tenants && stored.tenantClaim === null)
        throw invalid([{ pointer: '/tenants', message: 'goes with tenantClaim only' }]);
      const issuer = toResponse(await transaction.issuer.update({ where, data: toColumns(changes), ...withTenant }));
      await record(transaction, askerOf(caller), 'issuer.changed', stored.tenantId, { before, issuer });
      return issuer;
    });
  }

  /** Its tokens are refused from the next request on. */
  async remove(caller: Caller, id: string, ifMatch: string | undefined): Promise<void> {
    const where = { id: idOrNotFound(id, 'issuer') };
    await this.database.asOperator(async (transaction) => {
      const stored = await lock(transaction, id);
      const before = toResponse(stored);
      assertUnchanged(ifMatch, before);
      await transaction.issuer.deleteMany({ where });
      await record(transaction, askerOf(caller), 'issuer.deleted', stored.tenantId, { before });
    });
  }
}

/** What the fields of a request must be together. @throws ProblemError */
export function assertTrustable(request: IssuerRequest, rules: EndpointRules): void {
  assertOneOf(request, 'tenant', 'tenantClaim');
  assertOneOf(request, 'jwks', 'jwksUri');
  if (request.tenantClaim !== undefined && !request.tenants)
    throw invalid([{ pointer: '/tenants', message: 'must name the slugs that are allowed' }]);
  if (request.tenant !== undefined && request.tenants)
    throw invalid([{ pointer: '/tenants', message: 'goes with tenantClaim only' }]);
  assertEndpointsAllowed({ jwksUri: request.jwksUri }, rules);
}

/** An issuer whose request is trustable, on record. */
export async function addIssuer(
  transaction: Transaction,
  asker: Asker,
  request: IssuerRequest,
): Promise<IssuerResponse> {
  const { issuer, audience, tenantClaim = null, algorithms = usualAlgorithms(request) } = request;
  const tenantId = request.tenant === undefined ? null : await tenantIdOf(transaction, request.tenant);
  const data = { tenantId, tenantClaim, issuer, audience, ...toColumns(request), algorithms };
  const response = toResponse(await transaction.issuer.create({ data, ...withTenant }));
  await record(transaction, asker, 'issuer.created', tenantId, { issuer: { ...response } });
  return response;
}

/** Exactly one of two fields. */
function assertOneOf(request: IssuerRequest, one: keyof IssuerRequest, other: keyof IssuerRequest): void {
  if (request[one] !== undefined && request[other] !== undefined)
    throw invalid([{ pointer: `/${other}`, message: `must be left out where ${one} is given` }]);
  if (request[one] === undefined && request[other] === undefined)
    throw invalid([{ pointer: `/${one}`, message: `must be given, or ${other}` }]);
}

const usualAlgorithms = ({ jwks }: IssuerRequest): string[] => (jwks ? algorithmsOf(jwks) : ['RS256', 'ES256']);

async function lock(transaction: Transaction, id: string) {
  await transaction.$queryRaw`SELECT FROM issuers WHERE id = ${id}::uuid FOR UPDATE`;
  const issuer = await transaction.issuer.findUnique({ where: { id }, ...withTenant });
  if (!issuer) throw notFound('issuer');
  return issuer;
}

async function tenantIdOf(transaction: Transaction, slug: string): Promise<string> {
  const tenant = await transaction.tenant.findUnique({ where: { slug } });
  if (tenant) return tenant.id;
  const errors = [{ pointer: '/tenant', message: 'is not a tenant', code: 'unknown-reference' as const }];
  throw new ProblemError('unknown-reference', `There is no tenant "${slug}".`, { errors });
}

/** In the ledger of the tenant that it concerns; of a shared issuer, in that of the operator who made the change. */
async function record(
  transaction: Transaction,
  asker: Asker,
  action: string,
  tenantId: string | null,
  details: Record<string, unknown>,
) {
  await recordChange(transaction, { ...asker, tenantId: tenantId ?? asker.tenantId, action, details });
}

/** What was given, as columns; whichever source of keys is given replaces the other. */
function toColumns(changes: IssuerChanges) {
  const { jwks, jwksUri, algorithms, tenants, subjectClaim, groupsClaim, scopeClaim, scopePrefix, platform } = changes;
  const given = { algorithms, tenantSlugs: tenants, subjectClaim, groupsClaim, scopeClaim, scopePrefix, platform };
  const keys = jwks
    ? { jwks: jwks as unknown as Prisma.InputJsonObject, jwksUri: null }
    : jwksUri
      ? { jwks: Prisma.DbNull, jwksUri }
      : {};
  return {
    ...(Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as Partial<typeof given>),
    ...keys,
  };
}

interface StoredIssuer extends Omit<IssuerResponse, 'tenant' | 'tenants' | 'jwks' | 'createdAt'> {
  tenant: { slug: string } | null;
  tenantSlugs: string[];
  jwks: unknown;
  createdAt: Date;
}

function toResponse(stored: StoredIssuer): IssuerResponse {
  return {
    id: stored.id,
    tenant: stored.tenant?.slug ?? null,
    tenantClaim: stored.tenantClaim,
    tenants: stored.tenantSlugs,
    issuer: stored.issuer,
    audience: stored.audience,
    jwks: stored.jwks as Record<string, unknown> | null,
    jwksUri: stored.jwksUri,
    algorithms: stored.algorithms,
    subjectClaim: stored.subjectClaim,
    groupsClaim: stored.groupsClaim,
    scopeClaim: stored.scopeClaim,
    scopePrefix: stored.scopePrefix,
    platform: stored.platform,
    createdAt: stored.createdAt.toISOString(),
  };
}
