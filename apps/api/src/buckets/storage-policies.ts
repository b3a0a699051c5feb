import { Injectable } from '@nestjs/common';
import { Database } from '@countersign/database';
import { ProblemError } from '@countersign/errors';
import { storagePolicy } from '@countersign/signing-keys';
import type { Caller } from '../http/caller.js';
import { isAws } from '../http/endpoint.js';
import type { BucketResponse } from './buckets.dto.js';
import { Buckets } from './buckets.js';
import type { StoragePolicyResponse } from './storage-policy.dto.js';

/** The least privilege for a bucket's signing keys, as policies that can be pasted. No store is contacted. */
@Injectable()
export class StoragePolicies {
  constructor(
    private readonly buckets: Buckets,
    private readonly database: Database,
  ) {}

  async get(caller: Caller, name: string): Promise<StoragePolicyResponse> {
    const bucket = await this.buckets.get(caller, name);
    const policies = storagePolicy({
      bucket: bucket.bucket,
      keyPrefix: bucket.keyPrefix,
      region: bucket.region,
      isAws: isAws(bucket.endpoint ?? undefined),
      hasTls: [bucket.endpoint, bucket.publicEndpoint].every((endpoint) => !endpoint?.startsWith('http:')),
      hasAcls: bucket.acl === 'private' || !isAws(bucket.endpoint ?? undefined),
      longestExpirySeconds: await this.#longestExpiry(caller),
      cephUid: bucket.keyIssuer.type === 'ceph-rgw' ? (bucket.keyIssuer.uid ?? null) : null,
    });
    if (!policies) throw inexpressible();
    return { bucket: name, ...policies, notes: notesFor(bucket) };
  }

  async #longestExpiry({ tenantId }: Caller): Promise<number | null> {
    const { _max } = await this.database.asTenant(tenantId, (transaction) =>
      transaction.useCase.aggregate({ where: { tenantId }, _max: { maxExpirySeconds: true } }),
    );
    return _max.maxExpirySeconds;
  }
}

function inexpressible(): ProblemError {
  const message =
    'has "*", "?" or "${", which this store takes for wildcards: a policy would cover more than the prefix';
  const errors = [{ pointer: '/keyPrefix', message, code: 'policy-not-expressible' as const }];
  return new ProblemError('policy-not-expressible', `keyPrefix ${message}.`, { errors });
}

/** What the documents cannot say of themselves. */
function notesFor({ endpoint, keyIssuer }: BucketResponse): string[] {
  const always = [
    'NoCopying and the other refusals bind everybody who reaches the prefix, its owner too: whoever must copy into it takes them away first.',
    'NoOldSignatures goes by the longest expiry that any use case of the tenant allows now: make the policy anew when that changes.',
  ];
  if (isAws(endpoint ?? undefined)) {
    return [
      'Put signingKeyPolicy on the IAM user whose access keys sign for this bucket, and nothing else on that user.',
      'bucketPolicy refuses the same of whoever else can write there. Putting it replaces the policy that the bucket has: merge them.',
      ...always,
    ];
  }
  if (keyIssuer.type === 'embedded')
    return ['The development store knows no policies, and refuses such requests by itself.'];
  return [
    'Put bucketPolicy on the bucket, as its owner. Putting it replaces the policy that the bucket has: merge them.',
    keyIssuer.type === 'ceph-rgw'
      ? 'It lets the key issuer’s user in. That user should not own the bucket: a Ceph gateway lets an owner do whatever is not refused.'
      : 'It lets nobody in, since the signing key’s user is not known here. Where that user does not own the bucket, put signingKeyPolicy on the user, or set a key issuer of the type "ceph-rgw" and ask again.',
    'Ceph 16 takes NoOldSignatures and TlsOnly, and goes by neither: see to it that it has no port without TLS.',
    'A store that takes no statement about ACLs has none: leave out NoPublicAcl and NoGrant….',
    'Ceph 16 goes by NoCopying where an object is uploaded whole, and not where it is uploaded in parts.',
    ...always,
  ];
}
