import { Injectable } from '@nestjs/common';
import { ProblemError, type FieldError } from '@countersign/errors';
import { type IssuanceDecision, Ledger, type Receipt } from '@countersign/ledger';
import { applyPolicy, type Terms as PolicyTerms, type Violation, type WantedContent } from '@countersign/policy';
import { type Credential, ObjectAddresses, UrlSigner } from '@countersign/signing';
import { CredentialSeal } from '@countersign/signing-keys';
import { type Bucket, type Holding, type SigningKey, Tenancy } from '@countersign/tenancy';
import type { Caller } from '../http/caller.js';
import { findHoldings, type Question, refusalOf } from './question.js';

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
  content: WantedContent;
  /** What the ledger notes beyond it. */
  details: Record<string, unknown> | null;
  /** The request that is signed, once it is known to be allowed. */
  terms(address: Address, terms: PolicyTerms): Receipt['terms'];
}

export interface Issued {
  receipt: Receipt;
  url: string;
  expiryLimitedBy: 'credential' | null;
}

/** What was decided about one wish, and what goes on record: nothing where nothing can be decided now. */
type Verdict = Granted | { isGranted: false; decision: IssuanceDecision | null; problem: ProblemError };

interface Granted {
  isGranted: true;
  decision: IssuanceDecision;
  credential: Credential;
  expiryLimitedBy: Issued['expiryLimitedBy'];
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
    private readonly addresses: ObjectAddresses,
    private readonly signer: UrlSigner,
  ) {}

  /** @throws ProblemError for a refusal, once it is on record, and where it cannot be decided or recorded now (503). */
  async execute(caller: Caller, wish: Wish): Promise<Issued> {
    const [outcome] = await this.executeAll(caller, [wish]);
    if (!outcome || outcome instanceof ProblemError) throw outcome ?? noSigningKey();
    return outcome;
  }

  /**
   * The same for many, in one read and one append: an outcome for each, in their order. A refusal harms no other.
   * @throws ProblemError where they cannot be decided or recorded now (503): then there is no URL at all.
   */
  async executeAll(caller: Caller, wishes: readonly Wish[]): Promise<(Issued | ProblemError)[]> {
    const outcomes = await this.#attempt(caller, wishes);
    const superseded = wishes.filter((_, n) => outcomes[n] === null);
    // Once more where a rotation came between the read and the append: then the successor signs.
    const again = superseded.length > 0 ? (await this.#attempt(caller, superseded)).values() : null;
    return outcomes.map((outcome) => outcome ?? again?.next().value ?? noSigningKey());
  }

  async #attempt(caller: Caller, wishes: readonly Wish[]): Promise<(Issued | ProblemError | null)[]> {
    const verdicts = await this.#decide(caller, wishes);
    const decisions = verdicts.flatMap(({ decision }) => decision ?? []);
    const receipts = (await this.ledger.record(decisions)).values();
    return Promise.all(
      verdicts.map(async (verdict) => {
        const receipt = verdict.decision && receipts.next().value;
        if (!verdict.isGranted) return verdict.problem;
        return receipt ? this.#sign(receipt, verdict) : null;
      }),
    );
  }

  async #decide(caller: Caller, wishes: readonly Wish[]): Promise<Verdict[]> {
    if (caller.isSuspended) return wishes.map((wish) => refused(caller, wish, tenantSuspended()));
    const holdings = await findHoldings(this.tenancy, caller, wishes);
    return wishes.map((wish, n) => this.#judge(caller, wish, holdings[n] as Holding));
  }

  #judge(caller: Caller, wish: Wish, holding: Holding): Verdict {
    const { bucket, signingKey, now: issuedAt } = holding;
    const refusal = refusalOf(holding, wish, caller);
    if (!bucket || refusal === 'bucket-not-found') return refused(caller, wish, bucketNotFound());
    if (refusal === 'not-granted') return refused(caller, wish, notGranted());

    const outcome = applyPolicy(holding.useCase, wish.content, {
      issuedAt,
      expiresInSeconds: wish.expiresInSeconds,
      credentialExpiresAt: signingKey?.expiresAt ?? null,
    });
    const tooLong = keyLengthFault(bucket.keyPrefix + wish.key);
    if (!outcome.isWithin) return refused(caller, wish, outsidePolicy([...outcome.violations, ...tooLong]));
    if (tooLong.length > 0) return refused(caller, wish, outsidePolicy(tooLong));
    const { expiresInSeconds, expiryLimitedBy } = outcome.terms;
    if (!signingKey || expiresInSeconds < 1) return undecided(noSigningKey());
    const credential = this.#open(caller.tenantId, signingKey);
    if (credential instanceof ProblemError) return undecided(credential);

    const { signingKeyId } = credential;
    const { region, acl } = bucket;
    const endpoint = bucket.publicEndpoint ?? bucket.endpoint;
    const location = { endpoint, region, bucket: bucket.bucket, forcePathStyle: bucket.forcePathStyle };
    const url = this.addresses.of(location, bucket.keyPrefix + wish.key);
    const terms = wish.terms({ url, region, acl, issuedAt, expiresInSeconds, signingKeyId }, outcome.terms);
    const decision = decisionOf(caller, wish, { decision: 'granted', terms });
    return { isGranted: true, decision, credential, expiryLimitedBy };
  }

  async #sign(receipt: Receipt, { credential, expiryLimitedBy }: Granted): Promise<Issued> {
    return { receipt, url: await this.signer.sign(receipt, credential), expiryLimitedBy };
  }

  #open(tenantId: string, { id, accessKeyId, sealedCredential }: SigningKey): Credential | ProblemError {
    try {
      const opened = this.seal.openKept(sealedCredential, { tenantId, signingKeyId: id });
      const { secretAccessKey, sessionToken } = opened;
      return { signingKeyId: id, accessKeyId, secretAccessKey, ...(sessionToken !== undefined && { sessionToken }) };
    } catch (cause) {
      return noSigningKey(cause);
    }
  }
}

function refused(caller: Caller, wish: Wish, problem: ProblemError): Verdict {
  const decision = decisionOf(caller, wish, { decision: 'refused', reason: problem.code });
  return { isGranted: false, decision, problem };
}

const undecided = (problem: ProblemError): Verdict => ({ isGranted: false, decision: null, problem });

/** Written out, field by field: a thousand of these are made for one batch, and spreading objects takes longer than signing. */
function decisionOf(
  { tenantId, subject, clientAddress, userAgent, requestId }: Caller,
  { action, bucket, key, useCase, content, details }: Wish,
  made: { decision: 'granted'; terms: Receipt['terms'] } | { decision: 'refused'; reason: string },
): IssuanceDecision {
  const contentLength = content.action === 'write' ? content.contentLength : null;
  const { contentType } = content;
  const common = {
    tenantId,
    subject,
    clientAddress,
    userAgent,
    requestId,
    action: action === 'read' ? ('download-url' as const) : ('upload-url' as const),
    bucket,
    key,
    useCase,
    contentType,
    contentLength,
    details,
  };
  return Object.assign(common, made);
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
