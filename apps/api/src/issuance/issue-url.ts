import { Injectable } from '@nestjs/common';
import { Config } from '@countersign/config';
import { ProblemError } from '@countersign/errors';
import {
  isReceiptFor,
  type Kept,
  KeptIssuances,
  Ledger,
  newIssuanceId,
  type OnceDecision,
  type OnceRequest,
  type Receipt,
} from '@countersign/ledger';
import { applyPolicy, type WantedContent } from '@countersign/policy';
import { ObjectAddresses, UrlSigner } from '@countersign/signing';
import { CredentialSeal } from '@countersign/signing-keys';
import { type Bucket, type Holding, Tenancy } from '@countersign/tenancy';
import type { Caller } from '../http/caller.js';
import type { Once } from '../idempotency/once.js';
import { type Beginning, StartMultipart } from '../uploads/start-multipart.js';
import type { Issued } from './issued.js';
import { findHoldings, isWithheld, refusalOf } from './question.js';
import {
  keyLengthFault,
  noSigningKey,
  notVerified,
  outsidePolicy,
  refusalProblem,
  tenantSuspended,
} from './refusals.js';
import { ATTEMPTS, replayFault } from './replay.js';
import { openCredential, publicLocation } from './signing.js';
import { type Again, decisionOf, type Granted, refused, undecided, type Verdict } from './verdict.js';
import type { Wish } from './wish.js';

/** A request of several wishes that is to be done once, and the place of each in it. */
interface OnceForAll extends Once {
  items: readonly number[];
}

/**
 * The story of every URL that Countersign hands out: read, decide, apply the policy, record, sign. A refusal goes on record too. No store
 * is asked whether the object exists, which plays no part; only an upload in parts is begun there, once it is on record.
 */
@Injectable()
export class IssueUrl {
  constructor(
    private readonly config: Config,
    private readonly tenancy: Tenancy,
    private readonly ledger: Ledger,
    private readonly kept: KeptIssuances,
    private readonly seal: CredentialSeal,
    private readonly addresses: ObjectAddresses,
    private readonly signer: UrlSigner,
    private readonly startMultipart: StartMultipart,
  ) {}

  /** @throws ProblemError for a refusal, once it is on record, and where it cannot be decided or recorded now (503). */
  async execute(caller: Caller, wish: Wish, once: Once | null = null): Promise<Issued> {
    const [outcome] = await this.executeAll(caller, [wish], once && { ...once, items: [0] });
    if (!outcome || outcome instanceof ProblemError) throw outcome ?? noSigningKey();
    return outcome;
  }

  /**
   * The same for many, in one read and one append: an outcome for each, in their order. A refusal harms no other.
   * @throws ProblemError where they cannot be decided or recorded now (503): then there is no URL at all.
   */
  async executeAll(
    caller: Caller,
    wishes: readonly Wish[],
    once: OnceForAll | null = null,
  ): Promise<(Issued | ProblemError)[]> {
    const outcomes = await (once ? this.#issueOnce(caller, wishes, once) : this.#issueAll(caller, wishes));
    const begun = outcomes.flatMap((outcome) => beginningOf(outcome) ?? []);
    if (begun.length === 0) return outcomes;
    const faults = (await this.startMultipart.executeAll(caller, begun)).values();
    return outcomes.map((outcome) => (beginningOf(outcome) && faults.next().value) || outcome);
  }

  async #issueAll(caller: Caller, wishes: readonly Wish[]): Promise<(Issued | ProblemError)[]> {
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
    const outcomes = verdicts.map((verdict) => {
      const receipt = verdict.decision && receipts.next().value;
      if (!verdict.isGranted) return verdict.problem;
      return receipt ? this.#sign(receipt, verdict) : null;
    });
    // Ours are signed at once; only the SDK's take a promise each.
    return outcomes.every(isSettled) ? outcomes : Promise.all(outcomes.map((outcome) => Promise.resolve(outcome)));
  }

  /** The same under a key: what is kept under it is signed again, as it was, for whoever still may; the rest is decided, and kept. */
  async #issueOnce(
    caller: Caller,
    wishes: readonly Wish[],
    { items, ...once }: OnceForAll,
  ): Promise<(Issued | ProblemError)[]> {
    const { tenantId, subject } = caller;
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const outcomes = await this.#attemptOnce(caller, wishes, { tenantId, subject, ...once }, items);
      if (outcomes) return outcomes;
    }
    throw noSigningKey();
  }

  /** Null where nothing was recorded, since the same request was quicker elsewhere, or a rotation came between. */
  async #attemptOnce(
    caller: Caller,
    wishes: readonly Wish[],
    request: OnceRequest,
    items: readonly number[],
  ): Promise<(Issued | ProblemError)[] | null> {
    const kept = await this.kept.find(request, wishes.length);
    const verdicts = await this.#decide(caller, wishes, (n) => kept.get(items[n] ?? n));
    const decided = verdicts.flatMap((verdict, n): OnceDecision[] => {
      const { decision, isGranted } = verdict;
      return decision
        ? [{ item: items[n] ?? n, decision, expiryLimitedBy: isGranted ? verdict.expiryLimitedBy : null }]
        : [];
    });
    const isToKeep = decided.some(({ decision }) => decision.decision === 'granted');
    // A refusal is not kept: a repetition is judged anew.
    const recorded = isToKeep
      ? await this.kept.record(request, decided)
      : await this.ledger.record(decided.map(({ decision }) => decision));
    if (!recorded) return null;
    const receipts = recorded.values();
    return Promise.all(
      verdicts.map(async (verdict) => {
        const receipt = 'receipt' in verdict ? verdict.receipt : verdict.decision && receipts.next().value;
        if (!verdict.isGranted) return verdict.problem;
        if (!receipt) throw new Error('a granted decision without a receipt');
        return this.#sign(receipt, verdict);
      }),
    );
  }

  async #decide(
    caller: Caller,
    wishes: readonly Wish[],
    keptOf: (n: number) => Kept | undefined = nothingKept,
  ): Promise<Verdict[]> {
    if (caller.isSuspended) return wishes.map((wish) => refused(caller, wish, tenantSuspended()));
    const holdings = await findHoldings(this.tenancy, caller, wishes);
    return wishes.map((wish, n) => this.#judge(caller, wish, holdings[n] as Holding, keptOf(n)));
  }

  #judge(caller: Caller, wish: Wish, holding: Holding, kept: Kept | undefined): Verdict {
    const { bucket, signingKey, now } = holding;
    const refusal = refusalOf(holding, wish, caller);
    if (!bucket || refusal) return refused(caller, wish, refusalProblem(refusal ?? 'bucket-not-found'));
    if (kept) return this.#judgeAgain(caller, wish, holding, kept);

    const credentialExpiresAt = signingKey?.expiresAt ?? null;
    const { isStable } = wish;
    const time = { now, isStable, expiresInSeconds: wish.expiresInSeconds, credentialExpiresAt };
    const outcome = applyPolicy(holding.useCase, wish.content, time, { forms: this.#offersForms(bucket) });
    const storeKey = bucket.keyPrefix + wish.key;
    const tooLong = keyLengthFault(storeKey);
    if (!outcome.isWithin) return refused(caller, wish, outsidePolicy([...outcome.violations, ...tooLong]));
    if (tooLong.length > 0) return refused(caller, wish, outsidePolicy(tooLong));
    if (isWithheld(holding, wish)) return refused(caller, wish, notVerified());
    const { issuedAt, expiresInSeconds, expiryLimitedBy } = outcome.terms;
    if (!signingKey || issuedAt + expiresInSeconds <= now) return undecided(noSigningKey());
    const credential = openCredential(this.seal, caller.tenantId, signingKey);
    if (credential instanceof ProblemError) return undecided(credential);

    const issuanceId = newIssuanceId();
    const { signingKeyId } = credential;
    const { region } = bucket;
    const url = this.#addressOf(bucket, storeKey, wish.content);
    const place = { issuanceId, url, region, bucket, storeKey, issuedAt, expiresInSeconds, signingKeyId };
    const terms = wish.terms(place, outcome.terms);
    const upload = wish.upload?.(place, outcome.terms, holding.useCase?.requireVerified ?? false);
    const decision = decisionOf(caller, wish, issuanceId, { decision: 'granted', terms, upload });
    return { isGranted: true, decision, credential, expiryLimitedBy };
  }

  /** Its terms are settled; whether it may be given out is asked anew. */
  #judgeAgain(caller: Caller, wish: Wish, holding: Holding, { receipt, expiryLimitedBy }: Kept): Verdict {
    if (isWithheld(holding, wish)) return refused(caller, wish, notVerified());
    const { signingKey } = holding;
    const fault = replayFault(receipt.terms, holding);
    if (!signingKey || fault) return refused(caller, wish, fault ?? noSigningKey());
    const credential = openCredential(this.seal, caller.tenantId, signingKey);
    if (credential instanceof ProblemError) return undecided(credential);
    return { isGranted: true, decision: null, receipt, credential, expiryLimitedBy };
  }

  #addressOf(bucket: Bucket, storeKey: string, content: WantedContent): string {
    const location = publicLocation(bucket);
    const isForm = content.action === 'write' && content.mode === 'post';
    return isForm ? this.addresses.ofBucket(location) : this.addresses.of(location, storeKey);
  }

  /** Not at the embedded store; nor behind a prefix in which a store would replace something, as it would in a key. */
  #offersForms({ endpoint, keyPrefix }: Bucket): boolean {
    const { embeddedStore } = this.config;
    const isEmbedded = embeddedStore !== null && embeddedStore.endpoint === endpoint;
    return !isEmbedded && !keyPrefix.includes('${');
  }

  #sign(receipt: Receipt, verdict: Granted | Again): Issued | Promise<Issued> {
    const { credential, expiryLimitedBy } = verdict;
    if (isReceiptFor(receipt, 'url')) {
      const signed = this.signer.sign(receipt, credential);
      const head = this.signer.signHead(receipt, credential);
      if (isSettled(signed) && isSettled(head))
        return { kind: 'url', receipt, url: signed, headUrl: head, expiryLimitedBy };
      return Promise.all([signed, head]).then(([url, headUrl]) => ({
        kind: 'url',
        receipt,
        url,
        headUrl,
        expiryLimitedBy,
      }));
    }
    if (isReceiptFor(receipt, 'form'))
      return { kind: 'form', receipt, fields: this.signer.signForm(receipt, credential), expiryLimitedBy };
    if (isReceiptFor(receipt, 'multipart'))
      return { kind: 'multipart', receipt, expiryLimitedBy, isAgain: 'receipt' in verdict };
    throw new Error('parts are no wish');
  }
}

const nothingKept = (): undefined => undefined;

const isSettled = <T>(outcome: T | Promise<T>): outcome is T => !(outcome instanceof Promise);

/** The upload in parts that an outcome begins, or null. */
const beginningOf = (outcome: Issued | ProblemError): Beginning | null =>
  !(outcome instanceof ProblemError) && outcome.kind === 'multipart'
    ? { id: outcome.receipt.issuanceId, isAgain: outcome.isAgain }
    : null;
