import type { ProblemError } from '@countersign/errors';
import type { Credential, Location } from '@countersign/signing';
import type { CredentialSeal } from '@countersign/signing-keys';
import type { Bucket, SigningKey } from '@countersign/tenancy';
import { noSigningKey } from './refusals.js';

/** The place that clients see: what is signed is signed for it. */
export function publicLocation({ publicEndpoint, endpoint, region, bucket, forcePathStyle }: Bucket): Location {
  return { endpoint: publicEndpoint ?? endpoint, region, bucket, forcePathStyle };
}

/** The credential of a signing key, or the problem where it cannot be opened. */
export function openCredential(
  seal: CredentialSeal,
  tenantId: string,
  { id, accessKeyId, sealedCredential }: SigningKey,
): Credential | ProblemError {
  try {
    const opened = seal.openKept(sealedCredential, { tenantId, signingKeyId: id });
    const { secretAccessKey, sessionToken } = opened;
    const credential = { signingKeyId: id, accessKeyId, secretAccessKey };
    return sessionToken === undefined ? credential : { ...credential, sessionToken };
  } catch (cause) {
    return noSigningKey(cause);
  }
}
