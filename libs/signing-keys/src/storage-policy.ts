/** What a policy depends on. */
export interface PolicyScope {
  /** The bucket's name at the store. */
  bucket: string;
  keyPrefix: string;
  region: string;
  isAws: boolean;
  /** Whether clients reach the store by TLS only. */
  hasTls: boolean;
  /** Whether the store obeys ACL headers: AWS's buckets have them switched off. */
  hasAcls: boolean;
  /** How long a URL may live, by any of the tenant's use cases; null where there is none. */
  longestExpirySeconds: number | null;
  /** The signing key's user at a Ceph gateway, `uid` or `tenant$uid`, where it is known. */
  cephUid: string | null;
}

export interface PolicyDocument {
  Version: '2012-10-17';
  Statement: Statement[];
}

export interface Statement {
  Sid: string;
  Effect: 'Allow' | 'Deny';
  Principal?: '*' | { AWS: string[] };
  Action: string[];
  Resource: string[];
  Condition?: Record<string, Record<string, string | string[]>>;
}

export interface StoragePolicy {
  /** For the signing key's user. */
  signingKeyPolicy: PolicyDocument;
  /** For the bucket. */
  bucketPolicy: PolicyDocument;
}

/**
 * All that URLs of ours can do, whole uploads and those in parts; and, by no URL but by the service itself, to take away what was rejected or
 * aborted. Nothing lists objects.
 */
const ACTIONS = [
  's3:GetObject',
  's3:GetObjectVersion',
  's3:PutObject',
  's3:DeleteObject',
  's3:AbortMultipartUpload',
  's3:ListMultipartUploadParts',
];

/** Of the bucket as a whole, for S3 knows no prefix here: an upload in parts whose start nobody heard the end of is found by its key. */
const FINDING = ['s3:ListBucketMultipartUploads'];

/**
 * The least that a signing key needs, and nothing more, once for its user and once for the bucket. Only operators that AWS and Ceph 16 read
 * alike are used: Ceph takes `Null` for its opposite and passes over `NotAction`. Null where the prefix cannot be said in a policy: outside
 * AWS nothing escapes a wildcard, and a policy for more than the prefix would be none.
 */
export function storagePolicy(scope: PolicyScope): StoragePolicy | null {
  const prefix = literal(scope);
  if (prefix === null) return null;
  const bucket = `arn:${partitionOf(scope)}:s3:::${scope.bucket}`;
  const resource = [`${bucket}/${prefix}*`];
  const allowed: Statement[] = [
    { Sid: 'ReadAndWriteThePrefix', Effect: 'Allow', Action: ACTIONS, Resource: resource },
    { Sid: 'FindStartedUploads', Effect: 'Allow', Action: FINDING, Resource: [bucket] },
  ];
  const refusals = refusalsOf(scope).map(({ Sid, Action, Condition }): Statement => ({
    Sid,
    Effect: 'Deny',
    Action: [Action],
    Resource: resource,
    Condition,
  }));
  const user = scope.cephUid === null ? null : { AWS: [cephUserArn(scope.cephUid)] };
  return {
    signingKeyPolicy: { Version: '2012-10-17', Statement: [...allowed, ...refusals] },
    bucketPolicy: {
      Version: '2012-10-17',
      Statement: [
        ...(user ? allowed.map((statement) => to(user, statement)) : []),
        // For whichever key signs, the next one too, and even the bucket's owner, whom nothing else binds.
        ...refusals.map((statement) => to('*', statement)),
      ],
    },
  };
}

function refusalsOf({ hasTls, hasAcls, longestExpirySeconds }: PolicyScope): Refusal[] {
  return [
    // Attack: whoever holds an upload URL adds a header that is not signed, and copies what the signing key may read (also part by part).
    { Sid: 'NoCopying', Action: 's3:PutObject', Condition: { StringLike: { 's3:x-amz-copy-source': '*' } } },
    // Attack: likewise, to publish what they upload.
    ...(hasAcls ? [NO_PUBLIC_ACL, ...Object.entries(GRANTS).map(noGrant)] : []),
    ...(hasTls ? [{ Sid: 'TlsOnly', Action: 's3:*', Condition: { Bool: { 'aws:SecureTransport': 'false' } } }] : []),
    ...(longestExpirySeconds === null
      ? []
      : [
          {
            Sid: 'NoOldSignatures',
            Action: 's3:*',
            Condition: { NumericGreaterThan: { 's3:signatureAge': String(longestExpirySeconds * 1000) } },
          },
        ]),
  ];
}

interface Refusal {
  Sid: string;
  Action: string;
  Condition: Record<string, Record<string, string | string[]>>;
}

const NO_PUBLIC_ACL = {
  Sid: 'NoPublicAcl',
  Action: 's3:PutObject',
  Condition: { StringEquals: { 's3:x-amz-acl': ['public-read', 'public-read-write', 'authenticated-read'] } },
};

const GRANTS = { Read: 'read', ReadAcp: 'read-acp', WriteAcp: 'write-acp', FullControl: 'full-control' };

function noGrant([name, header]: [string, string]): Refusal {
  const Condition = { StringLike: { [`s3:x-amz-grant-${header}`]: '*' } };
  return { Sid: `NoGrant${name}`, Action: 's3:PutObject', Condition };
}

const to = (Principal: '*' | { AWS: string[] }, { Sid, Effect, ...rest }: Statement): Statement => ({
  Sid,
  Effect,
  Principal,
  ...rest,
});

/** IAM User Guide, "IAM policy elements: Variables and tags": `${*}`, `${?}` and `${$}` are the characters themselves. */
function literal({ keyPrefix, isAws }: PolicyScope): string | null {
  if (isAws) return keyPrefix.replace(/[*?$]/g, (character) => `\${${character}}`);
  return /[*?]|\$\{/.test(keyPrefix) ? null : keyPrefix;
}

function partitionOf({ isAws, region }: PolicyScope): string {
  if (isAws && region.startsWith('cn-')) return 'aws-cn';
  return isAws && region.startsWith('us-gov-') ? 'aws-us-gov' : 'aws';
}

/** Ceph's "Bucket Policies": a user of a tenant of Ceph's own is `tenant$uid` to its administrators. */
function cephUserArn(uid: string): string {
  const [tenant, user] = uid.includes('$') ? uid.split('$', 2) : ['', uid];
  return `arn:aws:iam::${tenant}:user/${user}`;
}
