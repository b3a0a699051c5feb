import type { Config } from '@countersign/config';
import type { Prisma, Transaction } from '@countersign/database';
import { ProblemError } from '@countersign/errors';
import type { CredentialSeal, StorageCredential } from '@countersign/signing-keys';
import { assertEndpointsAllowed } from '../http/endpoint.js';
import type { KeyIssuerRequest, KeyIssuerResponse } from './key-issuer.dto.js';

/** What administration may read of a key issuer's row; its role has no right to the sealed credential. */
export const READABLE = { select: { type: true, settings: true } } as const;

/** Only administration's words differ from the database's, and those of manual: it has no row. */
const TYPES = { 'aws-iam': 'aws_iam', 'ceph-rgw': 'ceph_rgw', embedded: 'embedded' } as const;
const NAMES = { aws_iam: 'aws-iam', ceph_rgw: 'ceph-rgw', embedded: 'embedded' } as const;

interface StoredKeyIssuer {
  type: keyof typeof NAMES;
  settings: Prisma.JsonValue;
}

export function toKeyIssuer(stored: StoredKeyIssuer | null): KeyIssuerResponse {
  if (!stored) return { type: 'manual' };
  return { type: NAMES[stored.type], ...(stored.settings as Omit<KeyIssuerResponse, 'type'>) };
}

/** Replaces a bucket's key issuer as a whole. Its secret is sealed for this bucket and stays where it is. */
export async function replaceKeyIssuer(
  transaction: Transaction,
  seal: CredentialSeal,
  { tenantId, bucketId }: { tenantId: string; bucketId: string },
  request: KeyIssuerRequest,
): Promise<KeyIssuerResponse> {
  await transaction.keyIssuer.deleteMany({ where: { tenantId, bucketId } });
  if (request.type === 'manual') return { type: 'manual' };
  const { settings, credential } = partsOf(request);
  const sealed = credential && seal.seal(credential, { tenantId, keyIssuerOfBucketId: bucketId });
  const stored = await transaction.keyIssuer.create({
    data: {
      tenantId,
      bucketId,
      type: TYPES[request.type],
      settings,
      sealedCredential: sealed && new Uint8Array(sealed),
    },
    ...READABLE,
  });
  return toKeyIssuer(stored);
}

/** Whatever is not named here stays out of the row's readable half. */
function partsOf(request: Exclude<KeyIssuerRequest, { type: 'manual' }>): {
  settings: Prisma.InputJsonObject;
  credential: StorageCredential | null;
} {
  switch (request.type) {
    case 'embedded':
      return { settings: {}, credential: null };
    case 'ceph-rgw': {
      const { endpoint, uid, accessKeyId, secretAccessKey } = request;
      return { settings: { endpoint, uid, accessKeyId }, credential: { secretAccessKey } };
    }
    case 'aws-iam': {
      const { userName, accessKeyId, region, endpoint, secretAccessKey, sessionToken } = request;
      const place = { ...(region === undefined ? {} : { region }), ...(endpoint === undefined ? {} : { endpoint }) };
      const session = sessionToken === undefined ? {} : { sessionToken };
      return { settings: { userName, accessKeyId, ...place }, credential: { secretAccessKey, ...session } };
    }
    default:
      return request satisfies never;
  }
}

/**
 * Whether a key issuer may be changed though a rotation goes by it: where that needs its operator, this may be what is needed. A key of
 * which it is not known whether it was made can only be looked for, and taken away, where it was asked for.
 */
export function canCorrect(
  before: KeyIssuerResponse,
  after: KeyIssuerRequest | undefined,
  { state, intent, leftovers }: { state: string; intent: Prisma.JsonValue; leftovers: Prisma.JsonValue },
): boolean {
  if (state !== 'needs_operator' || !after) return false;
  const isOpen = intent !== null || (Array.isArray(leftovers) && leftovers.length > 0);
  const placeOf = ({ type, endpoint, uid, userName }: Partial<KeyIssuerResponse>) =>
    JSON.stringify([type, endpoint, uid, userName]);
  return !isOpen || placeOf(before) === placeOf(after);
}

/** @throws ProblemError `endpoint-not-allowed`, as for the bucket's own endpoints. */
export function assertKeyIssuerAllowed(request: KeyIssuerRequest | undefined, config: Config): void {
  if (request && 'endpoint' in request) {
    assertEndpointsAllowed({ 'keyIssuer/endpoint': request.endpoint }, config);
  }
}

/**
 * The development store's keys are made by an administrator whom only the configuration knows: never for a bucket somewhere else.
 * @throws ProblemError `key-issuer-not-available`
 */
export function assertKeyIssuerAvailable(
  type: KeyIssuerResponse['type'],
  bucketEndpoint: string | null,
  { embeddedStore }: Config,
): void {
  if (type !== 'embedded' || (embeddedStore && embeddedStore.endpoint === bucketEndpoint)) return;
  const message = 'can be "embedded" only in a bucket of the development store that the configuration names';
  throw new ProblemError('key-issuer-not-available', `keyIssuer ${message}.`, {
    errors: [{ pointer: '/keyIssuer/type', message, code: 'key-issuer-not-available' }],
  });
}
