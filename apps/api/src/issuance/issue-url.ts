import { Injectable } from '@nestjs/common';
import { ProblemError, type FieldError } from '@countersign/errors';
import { type IssuanceDecision, Ledger, type Receipt } from '@countersign/ledger';
import { applyPolicy, type Terms as PolicyTerms, type Violation, type Wanted } from '@countersign/policy';
import { type Credential, objectAddress, UrlSigner } from '@countersign/signing';
import { CredentialSeal } from '@countersign/signing-keys';
import { type Bucket, type SigningKey, Tenancy } from '@countersign/tenancy';
import { askerOf, type Caller } from '../http/caller.js';
import { type Question, refusalOf, toRead } from './question.js';

/** S3's limit on a key, with the bucket's own prefix (Amazon S3 User Guide, "Naming Amazon S3 objects"). */
const MAX_KEY_BYTES = 1024;

/** What every URL has, before it is known whether it is a download's or an upload's. */
export interface Address {
  url: string;
  region: string;
  acl: Bucket['acl'];
  issuedAt: number;
  expiresInSeconds: number;
  signingKeyId: string;
}

/** What somebody wants a URL for, and what a download and an upload differ in. */
export interface Wish extends Question {
  expiresInSeconds: number | null;
  /** What the policy looks at beyond the expiry. */
  content: ContentOf<Wanted>;
  /** What the ledger notes beyond it. */
  details: Record<string, unknown> | null;
  /** The request that is signed, once it is known to be allowed. */
  terms(address: Address, terms: PolicyTerms): Receipt['terms'];
}

type ContentOf<W> = W extends Wanted ? Omit<W, 'issuedAt' | 'expiresInSeconds' | 'credentialExpiresAt'> : never;

export interface Issued {
  receipt: Receipt;
  url: string;
  expiryLimitedBy: 'credential' | null;
}

/**
 * The story of every URL that Countersign hands out: read, decide, apply the policy, record, sign. A refusal goes on record too, and
 * nothing here asks the store: whether the object exists plays no part.
 */
@Injectable()
export class IssueUrl {
  constructor(
    private readonly tenancy: Tenancy,
    private readonly ledger: Ledger,
    private readonly seal: CredentialSeal,
    private readonly signer: UrlSigner,
  ) {}

  /** @throws ProblemError for a refusal, once it is on record, and where it cannot be decided or recorded now (503). */
  async execute(caller: Caller, wish: Wish): Promise<Issued> {
    // Once more where a rotation came between the read and the append: then the successor signs.
    const issued = (await this.#attempt(caller, wish)) ?? (await this.#attempt(caller, wish));
    if (!issued) throw noSigningKey();
    return issued;
  }

  async #attempt(caller: Caller, wish: Wish): Promise<Issued | null> {
    if (caller.isSuspended) return this.#refuse(caller, wish, tenantSuspended());
    const holding = await this.tenancy.find(toRead(caller, wish));

    const { bucket, signingKey } = holding;
    const refusal = refusalOf(holding, wish, caller);
    if (!bucket || refusal === 'bucket-not-found') return this.#refuse(caller, wish, bucketNotFound());
    if (refusal === 'not-granted') return this.#refuse(caller, wish, notGranted());

    const outcome = applyPolicy(holding.useCase, {
      ...wish.content,
      issuedAt: holding.now,
      expiresInSeconds: wish.expiresInSeconds,
      credentialExpiresAt: signingKey?.expiresAt ?? null,
    });
    const tooLong = keyLengthFault(bucket.keyPrefix + wish.key);
    if (!outcome.isWithin) return this.#refuse(caller, wish, outsidePolicy([...outcome.violations, ...tooLong]));
    if (tooLong.length > 0) return this.#refuse(caller, wish, outsidePolicy(tooLong));
    if (!signingKey || outcome.terms.expiresInSeconds < 1) throw noSigningKey();

    const { expiresInSeconds, expiryLimitedBy } = outcome.terms;
    const location = { ...bucket, endpoint: bucket.publicEndpoint ?? bucket.endpoint };
    const url = objectAddress(location, bucket.keyPrefix + wish.key);
    const address = {
      url,
      region: bucket.region,
      acl: bucket.acl,
      issuedAt: holding.now,
      expiresInSeconds,
      signingKeyId: signingKey.id,
    };
    const credential = this.#open(caller.tenantId, signingKey);
    const terms = wish.terms(address, outcome.terms);

    const receipt = await this.ledger.grant({ ...rowOf(caller, wish), decision: 'granted', terms });
    if (!receipt) return null;
    return { receipt, url: await this.signer.sign(receipt, credential), expiryLimitedBy };
  }

  async #refuse(caller: Caller, wish: Wish, problem: ProblemError): Promise<never> {
    await this.ledger.refuse({ ...rowOf(caller, wish), decision: 'refused', reason: problem.code });
    throw problem;
  }

  #open(tenantId: string, { id, accessKeyId, sealedCredential }: SigningKey): Credential {
    try {
      const opened = this.seal.open(Buffer.from(sealedCredential, 'base64'), { tenantId, signingKeyId: id });
      return { signingKeyId: id, accessKeyId, ...opened };
    } catch (cause) {
      throw noSigningKey(cause);
    }
  }
}

function rowOf(
  caller: Caller,
  { action, bucket, key, useCase, content, details }: Wish,
): Omit<IssuanceDecision, 'decision'> {
  return {
    ...askerOf(caller),
    action: action === 'read' ? 'download-url' : 'upload-url',
    bucket,
    key,
    useCase,
    contentType: content.contentType,
    contentLength: content.action === 'write' ? content.contentLength : null,
    details,
  };
}

/** The same for a bucket that does not exist and for one in which the caller has nothing: asking must not tell which there are. */
const bucketNotFound = () =>
  new ProblemError('bucket-not-found', 'There is no such bucket, or no grant in it for the caller.');

const notGranted = () => new ProblemError('not-granted', 'No grant allows the caller to do this to this key.');

const tenantSuspended = () => new ProblemError('tenant-suspended', 'The tenant is suspended: ask its operator.');

const noSigningKey = (cause?: unknown) =>
  new ProblemError('signing-key-unavailable', 'The bucket has no credential that can sign now. Try again shortly.', {
    retryAfterSeconds: 5,
    cause,
  });

function outsidePolicy(violations: (Violation | (FieldError & { code: 'key-too-long' }))[]): ProblemError {
  const detail = violations.map(({ pointer, message }) => `${pointer.slice(1)} ${message}`).join('; ');
  return new ProblemError(violations[0]?.code ?? 'internal-error', `${detail}.`, { errors: violations });
}

function keyLengthFault(key: string) {
  if (Buffer.byteLength(key) <= MAX_KEY_BYTES) return [];
  const message = `must be at most ${MAX_KEY_BYTES} bytes together with the bucket's own prefix`;
  return [{ code: 'key-too-long' as const, pointer: '/key', message, limits: { maxBytes: MAX_KEY_BYTES } }];
}
