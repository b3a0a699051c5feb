import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Config } from '@countersign/config';
import { Database, isUniqueViolation } from '@countersign/database';
import { ProblemError } from '@countersign/errors';
import { recordChange } from '@countersign/ledger';
import { objectAddress } from '@countersign/signing';
import { CredentialSeal } from '@countersign/signing-keys';
import { askerOf, type Caller } from '../http/caller.js';
import { notFound } from '../http/not-found.js';
import { type PageQuery, readCursor, toPage } from '../http/paging.js';
import { invalid } from '../http/request-validation.pipe.js';
import type { BucketPage, BucketRequest, BucketResponse } from './buckets.dto.js';
import { insecurityOf, isAws } from './store-names.js';

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
    this.#assertEndpointsAllowed(request);
    const { tenantId } = caller;
    const location = toLocation(request);
    assertAddressable(location);
    const { accessKeyId, expiresAt, secretAccessKey, sessionToken } = request.credentials;
    if (expiresAt !== undefined && Date.parse(expiresAt) <= Date.now()) {
      throw invalid([{ pointer: '/credentials/expiresAt', message: 'must be in the future' }]);
    }
    const signingKeyId = randomUUID();
    const secrets = { secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) };
    const sealedCredential = new Uint8Array(this.seal.seal(secrets, { tenantId, signingKeyId }));
    try {
      return await this.database.asTenant(tenantId, async (transaction) => {
        const bucket = await transaction.bucket.create({ data: { tenantId, ...location } });
        await transaction.signingKey.create({
          data: {
            id: signingKeyId,
            tenantId,
            bucketId: bucket.id,
            accessKeyId,
            sealedCredential,
            expiresAt: expiresAt === undefined ? null : new Date(expiresAt),
            state: 'active',
          },
          select: { id: true },
        });
        const response = toResponse(bucket);
        const details = { bucket: { ...response }, accessKeyId };
        await recordChange(transaction, {
          ...askerOf(caller),
          action: 'bucket.created',
          bucket: bucket.name,
          signingKeyId,
          details,
        });
        return response;
      });
    } catch (error) {
      if (!isUniqueViolation(error)) throw error;
      const errors = [{ pointer: '/name', message: 'is taken' }];
      throw new ProblemError('already-exists', `There is a bucket "${request.name}" already.`, { errors });
    }
  }

  async list(caller: Caller, { limit = 50, cursor }: PageQuery): Promise<BucketPage> {
    const after = readCursor(cursor, [/^[a-z0-9._-]{1,63}$/])?.[0];
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
    if (!/^[a-z0-9._-]{1,63}$/.test(name)) throw notFound('bucket');
    const where = { tenantId_name: { tenantId, name } };
    const bucket = await this.database.asTenant(tenantId, (transaction) => transaction.bucket.findUnique({ where }));
    if (!bucket) throw notFound('bucket');
    return toResponse(bucket);
  }

  #assertEndpointsAllowed(request: BucketRequest): void {
    if (this.config.allowInsecureEndpoints) return;
    const errors = (['endpoint', 'publicEndpoint'] as const).flatMap((field) => {
      const message = request[field] === undefined ? null : insecurityOf(request[field]);
      return message === null ? [] : [{ pointer: `/${field}`, message, code: 'endpoint-not-allowed' as const }];
    });
    if (errors.length > 0) {
      throw new ProblemError('endpoint-not-allowed', 'This installation takes public https: endpoints only.', {
        errors,
      });
    }
  }
}

function toLocation(request: BucketRequest) {
  const isElsewhere = !isAws(request.endpoint);
  return {
    name: request.name,
    provider: request.provider,
    endpoint: request.endpoint ?? null,
    publicEndpoint: request.publicEndpoint ?? null,
    region: request.region,
    bucket: request.bucket,
    keyPrefix: request.keyPrefix ?? '',
    forcePathStyle: request.forcePathStyle ?? isElsewhere,
    acl: request.acl ?? (isElsewhere ? ('private' as const) : ('none' as const)),
  };
}

/** What the SDK finds no address for now, it would not find one for later either, when a user waits for a URL. */
function assertAddressable(location: ReturnType<typeof toLocation>): void {
  try {
    objectAddress({ ...location, endpoint: location.publicEndpoint ?? location.endpoint }, 'key');
  } catch {
    throw invalid([{ pointer: '/region', message: 'and endpoint give no address that S3 knows' }]);
  }
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
