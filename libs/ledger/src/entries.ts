import type { IssuanceDecision, Terms } from './entry.js';
import { urlIds } from './url-ids.js';

type Row = ReturnType<typeof toRow>;
type Shared = ReturnType<typeof toShared>;

/** What `append_to_ledger` is given: a row, or many of them under what they share. */
export type Entry = (Shared & Row) | (Shared & { rows: Row[] });

/**
 * Decisions as the database appends them, each under its place among them. What neighbours share is said once: most of a batch's rows differ in
 * their keys alone, and to say the rest a hundred times would cost more than the rows themselves.
 */
export function toEntries(decisions: readonly IssuanceDecision[]): Entry[] {
  const entries: Entry[] = [];
  for (let from = 0, to = 1; from < decisions.length; from = to++) {
    const first = decisions[from] as IssuanceDecision;
    while (to < decisions.length && isShared(first, decisions[to] as IssuanceDecision)) to++;
    entries.push(
      to - from === 1
        ? Object.assign(toShared(first), toRow(first, from))
        : Object.assign(toShared(first), {
            rows: decisions.slice(from, to).map((decision, n) => toRow(decision, from + n)),
          }),
    );
  }
  return entries;
}

/** Whether all that `toShared` says of one holds for the other. */
function isShared(one: IssuanceDecision, other: IssuanceDecision): boolean {
  return (
    one.requestId === other.requestId &&
    one.tenantId === other.tenantId &&
    one.subject === other.subject &&
    one.clientAddress === other.clientAddress &&
    one.userAgent === other.userAgent &&
    one.action === other.action &&
    one.bucket === other.bucket &&
    one.useCase === other.useCase &&
    one.rotationId === other.rotationId &&
    haveSameOutcome(one, other)
  );
}

function haveSameOutcome(one: IssuanceDecision, other: IssuanceDecision): boolean {
  if (one.decision === 'refused') return other.decision === 'refused' && one.reason === other.reason;
  if (other.decision === 'refused') return false;
  const { terms } = one;
  return (
    terms.signingKeyId === other.terms.signingKeyId &&
    terms.issuedAt + terms.expiresInSeconds === other.terms.issuedAt + other.terms.expiresInSeconds &&
    urlCountOf(terms) === urlCountOf(other.terms)
  );
}

/** What is null is left out: PostgreSQL finds null where there is nothing. */
function toShared(decision: IssuanceDecision) {
  const terms = decision.decision === 'granted' ? decision.terms : undefined;
  return {
    tenantId: decision.tenantId,
    subject: decision.subject,
    action: decision.action,
    decision: decision.decision,
    reason: decision.decision === 'refused' ? decision.reason : undefined,
    bucket: decision.bucket,
    useCase: decision.useCase,
    signingKeyId: terms?.signingKeyId,
    expiresAt: terms && new Date((terms.issuedAt + terms.expiresInSeconds) * 1000).toISOString(),
    clientAddress: decision.clientAddress ?? undefined,
    userAgent: decision.userAgent ?? undefined,
    requestId: decision.requestId,
    rotationId: decision.rotationId,
    urlCount: terms && urlCountOf(terms),
  };
}

/** What is a row's own. */
function toRow(decision: IssuanceDecision, n: number) {
  return {
    n,
    id: decision.issuanceId,
    key: decision.key,
    contentType: decision.contentType ?? undefined,
    contentLength: decision.contentLength ?? undefined,
    url: decision.decision === 'granted' ? decision.terms.url : undefined,
    details: decision.details ?? undefined,
    stableUrls: decision.isStable ? stableUrlsOf(decision) : undefined,
    upload: decision.decision === 'granted' ? decision.upload : undefined,
  };
}

/** Of a refusal there are none. */
function stableUrlsOf(decision: IssuanceDecision): string[] | undefined {
  const terms = decision.decision === 'granted' ? decision.terms : undefined;
  return terms?.kind === 'url' ? urlIds(terms) : undefined;
}

/** How many URLs the terms give, where it is not one: null, and so left out, stands for that. */
function urlCountOf(terms: Terms): number | undefined {
  if (terms.kind === 'url') return terms.headQuery && 2;
  if (terms.kind === 'parts') return terms.parts.length;
  return terms.kind === 'multipart' ? 0 : undefined;
}
