import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Config } from '@countersign/config';
import { Database, isUniqueViolation, type Transaction } from '@countersign/database';
import { ProblemError } from '@countersign/errors';
import { recordChange } from '@countersign/ledger';
import { CredentialSeal } from '@countersign/signing-keys';
import { askerOf, type Caller } from '../http/caller.js';
import { assertEndpointsAllowed } from '../http/endpoint.js';
import { assertUnchanged } from '../http/etag.js';
import { notFound } from '../http/not-found.js';
import type { PageQuery } from '../http/page-query.dto.js';
import { NAME, readCursor, toPage } from '../http/paging.js';
import { invalid } from '../http/request-validation.pipe.js';
import type { BucketChanges, BucketPage, BucketRequest, BucketResponse } from './buckets.dto.js';
import { assertAddressable, type BucketLocation, changedLocation, toLocation } from './location.js';

/** The storage locations that a tenant registered. No store is contacted here. */
@Injectable()
export class Buckets {
  constructor(
    private readonly config: Config,
    private readonly database: Database,
    private readonly seal: CredentialSeal,
  ) {}

  /** The bucket and its first active signing key: both, or neither. */
  async create(caller: Caller, request: BucketRequest): Promise<BucketResponse> {
    const { tenantId } = caller;
    const location = toLocation(request);
    assertEndpointsAllowed(endpointsOf(location), this.config);
    assertAddressable(location);
    const { accessKeyId, expiresAt, secretAccessKey, sessionToken } = request.credentials;
    if (sessionToken !== undefined && expiresAt === undefined) {
      const message = 'must be given with sessionToken: no URL can live longer than the session that signs it';
      throw invalid([{ pointer: '/credentials/expiresAt', message }]);
    }
    if (expiresAt !== undefined && Date.parse(expiresAt) <= Date.now()) {
      throw invalid([{ pointer: '/credentials/expiresAt', message: 'must be in the future' }]);
    }
    const signingKeyId = randomUUID();
    const secrets = { secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) };
    const sealedCredential = new Uint8Array(this.seal.seal(secrets, { tenantId, signingKeyId }));
    const signingKey = { id: signingKeyId, tenantId, accessKeyId, sealedCredential, state: 'active' as const };
    try {
      return await this.database.asTenant(tenantId, async (transaction) => {
        const { name, provider } = request;
        const stored = await transaction.bucket.create({ data: { tenantId, name, provider, ...location } });
        await transaction.signingKey.create({
          data: { ...signingKey, bucketId: stored.id, expiresAt: expiresAt === undefined ? null : new Date(expiresAt) },
          select: { id: true },
        });
        const bucket = toResponse(stored);
        const details = { bucket: { ...bucket }, accessKeyId };
        await recordChange(transaction, {
          ...askerOf(caller),
          action: 'bucket.created',
          bucket: name,
          signingKeyId,
          details,
        });
        return bucket;
      });
    } catch (error) {
      if (!isUniqueViolation(error)) throw error;
      const errors = [{ pointer: '/name', message: 'is taken' }];
      throw new ProblemError('already-exists', `There is a bucket "${request.name}" already.`, { errors });
    }
  }

  async list(caller: Caller, { limit = 50, cursor }: PageQuery): Promise<BucketPage> {
    const after = readCursor(cursor, [NAME])?.[0];
    const buckets = await this.database.asTenant(caller.tenantId, (transaction) =>
      transaction.bucket.findMany({
        where: { tenantId: caller.tenantId, ...(after === undefined ? {} : { name: { gt: after } }) },
        orderBy: { name: 'asc' },
        take: limit + 1,
      }),
    );
    return toPage(buckets, limit, toResponse, (bucket) => [bucket.name]);
  }

  async get({ tenantId }: Caller, name: string): Promise<BucketResponse> {
    if (!NAME.test(name)) throw notFound('bucket');
    const where = { tenantId_name: { tenantId, name } };
    const bucket = await this.database.asTenant(tenantId, (transaction) => transaction.bucket.findUnique({ where }));
    if (!bucket) throw notFound('bucket');
    return toResponse(bucket);
  }

  /** URLs that are out keep the address that they were signed for. */
  async change(
    caller: Caller,
    name: string,
    changes: BucketChanges,
    ifMatch: string | undefined,
  ): Promise<BucketResponse> {
    return this.database.asTenant(caller.tenantId, async (transaction) => {
      const stored = await lock(transaction, caller.tenantId, name);
      const before = toResponse(stored);
      assertUnchanged(ifMatch, before);
      const location = changedLocation(stored, changes);
      assertEndpointsAllowed(endpointsOf(location), this.config);
      assertAddressable(location);
      const bucket = toResponse(await transaction.bucket.update({ where: { id: stored.id }, data: location }));
      await recordChange(transaction, {
        ...askerOf(caller),
        action: 'bucket.changed',
        bucket: name,
        details: { before, bucket },
      });
      return bucket;
    });
  }

  /** Forgets a bucket in which nobody has a grant any more, and its signing keys. The store and its objects are left as they are. */
  async remove(caller: Caller, name: string, ifMatch: string | undefined): Promise<void> {
    const { tenantId } = caller;
    await this.database.asTenant(tenantId, async (transaction) => {
      const { id, ...stored } = await lock(transaction, tenantId, name);
      const before = toResponse({ id, ...stored });
      assertUnchanged(ifMatch, before);
      const grants = await transaction.grant.count({ where: { tenantId, bucketId: id } });
      if (grants > 0) throw new ProblemError('in-use', `There are ${grants} grants in this bucket: delete them first.`);
      await transaction.signingKey.deleteMany({ where: { tenantId, bucketId: id } });
      await transaction.bucket.deleteMany({ where: { tenantId, id } });
      await recordChange(transaction, {
        ...askerOf(caller),
        action: 'bucket.deleted',
        bucket: name,
        details: { before },
      });
    });
  }
}

const endpointsOf = ({ endpoint, publicEndpoint }: BucketLocation) => ({ endpoint, publicEndpoint });

/** Whoever changes a bucket waits for whoever is changing it. */
async function lock(transaction: Transaction, tenantId: string, name: string) {
  if (!NAME.test(name)) throw notFound('bucket');
  await transaction.$queryRaw`SELECT FROM buckets WHERE tenant_id = ${tenantId}::uuid AND name = ${name} FOR UPDATE`;
  const bucket = await transaction.bucket.findUnique({ where: { tenantId_name: { tenantId, name } } });
  if (!bucket) throw notFound('bucket');
  return bucket;
}

interface StoredBucket extends Omit<BucketResponse, 'createdAt'> {
  createdAt: Date;
}

function toResponse(bucket: StoredBucket): BucketResponse {
  const { id, name, provider, endpoint, publicEndpoint, region, keyPrefix, forcePathStyle, acl, createdAt } = bucket;
  const response = {
    id,
    name,
    provider,
    endpoint,
    publicEndpoint,
    region,
    bucket: bucket.bucket,
    keyPrefix,
    forcePathStyle,
    acl,
  };
  return { ...response, createdAt: createdAt.toISOString() };
}
