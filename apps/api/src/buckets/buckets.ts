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
import type { Once } from '../idempotency/once.js';
import { onlyOnce } from '../idempotency/only-once.js';
import { rotationUnderWay, underWay } from '../rotations/under-way.js';
import type { BucketChanges, BucketPage, BucketRequest, BucketResponse } from './buckets.dto.js';
import {
  assertKeyIssuerAllowed,
  assertKeyIssuerAvailable,
  canCorrect,
  READABLE,
  replaceKeyIssuer,
  toKeyIssuer,
} from './key-issuer.js';
import type { KeyIssuerResponse } from './key-issuer.dto.js';
import { assertAddressable, type BucketLocation, changedLocation, toLocation } from './location.js';

/** The storage locations that a tenant registered, and who changes their signing keys. No store is contacted here. */
@Injectable()
export class Buckets {
  constructor(
    private readonly config: Config,
    private readonly database: Database,
    private readonly seal: CredentialSeal,
  ) {}

  /** The bucket and its first active signing key: both, or neither. */
  async create(caller: Caller, request: BucketRequest, once: Once | null = null): Promise<BucketResponse> {
    const { tenantId } = caller;
    const location = toLocation(request);
    assertEndpointsAllowed(endpointsOf(location), this.config);
    assertAddressable(location);
    assertKeyIssuerAllowed(request.keyIssuer, this.config);
    assertKeyIssuerAvailable(request.keyIssuer?.type ?? 'manual', location.endpoint, this.config);
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
      const create = onlyOnce(caller, once, async (transaction) => {
        const { name, provider } = request;
        const stored = await transaction.bucket.create({ data: { tenantId, name, provider, ...location } });
        await transaction.signingKey.create({
          data: { ...signingKey, bucketId: stored.id, expiresAt: expiresAt === undefined ? null : new Date(expiresAt) },
          select: { id: true },
        });
        const row = { tenantId, bucketId: stored.id };
        const keyIssuer = await replaceKeyIssuer(transaction, this.seal, row, request.keyIssuer ?? { type: 'manual' });
        const bucket = toResponse(stored, keyIssuer);
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
      return await this.database.asTenant(tenantId, create);
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
        include: { keyIssuer: READABLE },
      }),
    );
    return toPage(buckets, limit, toOwnResponse, (bucket) => [bucket.name]);
  }

  async get({ tenantId }: Caller, name: string): Promise<BucketResponse> {
    if (!NAME.test(name)) throw notFound('bucket');
    const where = { tenantId_name: { tenantId, name } };
    const bucket = await this.database.asTenant(tenantId, (transaction) =>
      transaction.bucket.findUnique({ where, include: { keyIssuer: READABLE } }),
    );
    if (!bucket) throw notFound('bucket');
    return toOwnResponse(bucket);
  }

  /** URLs that are out keep the address that they were signed for. */
  async change(
    caller: Caller,
    name: string,
    changes: BucketChanges,
    ifMatch: string | undefined,
  ): Promise<BucketResponse> {
    const { tenantId } = caller;
    return this.database.asTenant(tenantId, async (transaction) => {
      const stored = await lock(transaction, tenantId, name);
      const before = toOwnResponse(stored);
      assertUnchanged(ifMatch, before);
      // None can start while the bucket is locked: its row refers to the bucket's.
      const rotation = changes.keyIssuer && (await underWay(transaction, { tenantId, bucketId: stored.id }));
      if (rotation && !canCorrect(before.keyIssuer, changes.keyIssuer, rotation)) throw rotationUnderWay(rotation.id);
      const location = changedLocation(stored, changes);
      assertEndpointsAllowed(endpointsOf(location), this.config);
      assertAddressable(location);
      assertKeyIssuerAllowed(changes.keyIssuer, this.config);
      assertKeyIssuerAvailable((changes.keyIssuer ?? before.keyIssuer).type, location.endpoint, this.config);
      const keyIssuer = changes.keyIssuer
        ? await replaceKeyIssuer(transaction, this.seal, { tenantId, bucketId: stored.id }, changes.keyIssuer)
        : before.keyIssuer;
      const bucket = toResponse(
        await transaction.bucket.update({ where: { id: stored.id }, data: location }),
        keyIssuer,
      );
      await recordChange(transaction, {
        ...askerOf(caller),
        action: 'bucket.changed',
        bucket: name,
        details: { before, bucket },
      });
      return bucket;
    });
  }

  /**
   * Forgets a bucket in which nobody has a grant any more, with its signing keys and their history. The store is left as it is. Nobody
   * finds its uploads any more; the reconciler forgets them as they become due, for there may be millions.
   */
  async remove(caller: Caller, name: string, ifMatch: string | undefined): Promise<void> {
    const { tenantId } = caller;
    await this.database.asTenant(tenantId, async (transaction) => {
      const stored = await lock(transaction, tenantId, name);
      const before = toOwnResponse(stored);
      assertUnchanged(ifMatch, before);
      const own = { tenantId, bucketId: stored.id };
      const grants = await transaction.grant.count({ where: own });
      if (grants > 0) throw new ProblemError('in-use', `There are ${grants} grants in this bucket: delete them first.`);
      // It holds a key that would otherwise be nobody's to delete at the store.
      if (await underWay(transaction, own)) {
        throw new ProblemError(
          'in-use',
          'A rotation of its signing key is under way: delete the bucket once it is done.',
        );
      }
      const begun = { mode: 'multipart' as const, storeUploadId: { not: null } };
      // Its parts would stay at the store, where nobody would know of them any more.
      if (
        (await transaction.upload.count({ where: { ...own, ...begun, state: { in: ['pending', 'uploaded'] } } })) > 0
      ) {
        throw new ProblemError(
          'in-use',
          'Uploads in parts are under way: delete the bucket once they are completed, aborted or expired.',
        );
      }
      await transaction.rotation.deleteMany({ where: own });
      await transaction.keyIssuer.deleteMany({ where: own });
      await transaction.signingKey.deleteMany({ where: own });
      await transaction.bucket.deleteMany({ where: { tenantId, id: stored.id } });
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
  const where = { tenantId_name: { tenantId, name } };
  const bucket = await transaction.bucket.findUnique({ where, include: { keyIssuer: READABLE } });
  if (!bucket) throw notFound('bucket');
  return bucket;
}

type StoredBucket = Omit<BucketResponse, 'createdAt' | 'keyIssuer'> & { createdAt: Date };

const toOwnResponse = (stored: StoredBucket & { keyIssuer: Parameters<typeof toKeyIssuer>[0] }): BucketResponse =>
  toResponse(stored, toKeyIssuer(stored.keyIssuer));

function toResponse(stored: StoredBucket, keyIssuer: KeyIssuerResponse): BucketResponse {
  const { id, name, provider, endpoint, publicEndpoint, region, bucket, keyPrefix, forcePathStyle, acl } = stored;
  const location = { endpoint, publicEndpoint, region, bucket, keyPrefix, forcePathStyle, acl };
  return { id, name, provider, ...location, keyIssuer, createdAt: stored.createdAt.toISOString() };
}
