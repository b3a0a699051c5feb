import type { IssuanceDecision, Terms } from './entry.js';
import { urlIds } from './url-ids.js';

/** What `append_to_ledger` is given: a row, or many of them under what the first one says, each saying what it says otherwise. */
export type Entry = ReturnType<typeof toShared> & (Row | { rows: Row[] });

/** What is a row's own; the rest only where its entry says something else. */
interface Row extends Partial<ReturnType<typeof toDefaults>> {
  /** Its place among the decisions. */
  n: number;
  id: string;
  key: string;
  url?: string | undefined;
  stableUrls?: string[] | undefined;
}

interface Group {
  first: IssuanceDecision;
  /** The first one's address as far as its key, which most others have too; undefined where the key stands otherwise in it. */
  urlBefore: string | undefined;
  rows: Row[];
}

/**
 * Decisions as the database appends them, each under its place among them. What many share is said once: the rows of a batch differ in their keys
 * alone, those of a crowd in their callers too, and to say the rest a hundred times would cost more than the rows themselves.
 */
export function toEntries(decisions: readonly IssuanceDecision[]): Entry[] {
  const groups: Group[] = [];
  const byNeighbourhood = new Map<string, Group[]>();
  decisions.forEach((decision, n) => {
    const neighbourhood = neighbourhoodOf(decisions, n);
    let neighbours = byNeighbourhood.get(neighbourhood);
    if (!neighbours) byNeighbourhood.set(neighbourhood, (neighbours = []));
    let group = neighbours.find(({ first }) => isAlike(first, decision));
    if (!group) {
      group = { first: decision, urlBefore: urlBeforeKey(decision), rows: [] };
      neighbours.push(group);
      groups.push(group);
    }
    group.rows.push(toRow(decision, n, group));
  });
  return groups.map(toEntry);
}

/**
 * Where others like it are looked for: of a batch among its own, which share their caller, and of a lone request among those of its tenant. All
 * that clients can vary at will is in it, so that a thousand items that differ are not each held against all others.
 */
function neighbourhoodOf(decisions: readonly IssuanceDecision[], n: number): string {
  const decision = decisions[n] as IssuanceDecision;
  const { requestId, tenantId, bucket, useCase } = decision;
  const isOfMany = decisions[n - 1]?.requestId === requestId || decisions[n + 1]?.requestId === requestId;
  const terms = decision.decision === 'granted' ? decision.terms : null;
  return `${isOfMany ? requestId : tenantId}\n${bucket}\n${useCase}\n${terms ? terms.issuedAt + terms.expiresInSeconds : ''}`;
}

/** Whether all that `toShared` says of one holds for the other, and a row can say in what else they differ: but for null, which says nothing. */
function isAlike(one: IssuanceDecision, other: IssuanceDecision): boolean {
  return (
    one.tenantId === other.tenantId &&
    one.action === other.action &&
    one.bucket === other.bucket &&
    one.useCase === other.useCase &&
    one.rotationId === other.rotationId &&
    haveSameOutcome(one, other) &&
    isNothing(one.clientAddress) === isNothing(other.clientAddress) &&
    isNothing(one.userAgent) === isNothing(other.userAgent) &&
    isNothing(one.contentType) === isNothing(other.contentType) &&
    isNothing(one.contentLength) === isNothing(other.contentLength) &&
    isNothing(one.details) === isNothing(other.details)
  );
}

const isNothing = (value: unknown): boolean => value === null || value === undefined;

function haveSameOutcome(one: IssuanceDecision, other: IssuanceDecision): boolean {
  if (one.decision === 'refused') return other.decision === 'refused' && one.reason === other.reason;
  if (other.decision === 'refused') return false;
  const { terms } = one;
  return (
    terms.signingKeyId === other.terms.signingKeyId &&
    terms.issuedAt + terms.expiresInSeconds === other.terms.issuedAt + other.terms.expiresInSeconds &&
    urlCountOf(terms) === urlCountOf(other.terms) &&
    isNothing(one.upload) === isNothing(other.upload)
  );
}

function toEntry({ first, urlBefore, rows }: Group): Entry {
  const shared = toShared(first, urlBefore);
  const [row] = rows;
  return row && rows.length === 1 ? Object.assign(shared, row) : Object.assign(shared, { rows });
}

/** What is null is left out: PostgreSQL finds null where there is nothing. */
function toShared(decision: IssuanceDecision, urlBefore: string | undefined) {
  const terms = decision.decision === 'granted' ? decision.terms : undefined;
  return Object.assign(
    {
      tenantId: decision.tenantId,
      action: decision.action,
      decision: decision.decision,
      reason: decision.decision === 'refused' ? decision.reason : undefined,
      bucket: decision.bucket,
      useCase: decision.useCase,
      signingKeyId: terms?.signingKeyId,
      expiresAt: terms && new Date((terms.issuedAt + terms.expiresInSeconds) * 1000).toISOString(),
      rotationId: decision.rotationId,
      urlCount: terms && urlCountOf(terms),
      urlBefore,
    },
    toDefaults(decision),
  );
}

/** What rows may say otherwise. */
function toDefaults(decision: IssuanceDecision) {
  return {
    subject: decision.subject,
    clientAddress: decision.clientAddress ?? undefined,
    userAgent: decision.userAgent ?? undefined,
    requestId: decision.requestId,
    contentType: decision.contentType ?? undefined,
    contentLength: decision.contentLength ?? undefined,
    details: decision.details ?? undefined,
    upload: uploadOf(decision),
  };
}

function toRow(decision: IssuanceDecision, n: number, { first, urlBefore }: Group): Row {
  const row: Row = { n, id: decision.issuanceId, key: decision.key };
  const url = decision.decision === 'granted' ? decision.terms.url : undefined;
  if (url !== undefined && (urlBefore === undefined || url !== urlBefore + decision.key)) row.url = url;
  if (decision.isStable) row.stableUrls = stableUrlsOf(decision);
  if (decision === first) return row;
  if (decision.subject !== first.subject) row.subject = decision.subject;
  if (decision.requestId !== first.requestId) row.requestId = decision.requestId;
  if (decision.clientAddress !== first.clientAddress) row.clientAddress = decision.clientAddress ?? undefined;
  if (decision.userAgent !== first.userAgent) row.userAgent = decision.userAgent ?? undefined;
  if (decision.contentType !== first.contentType) row.contentType = decision.contentType ?? undefined;
  if (decision.contentLength !== first.contentLength) row.contentLength = decision.contentLength ?? undefined;
  if (decision.details && !isSame(decision.details, first.details)) row.details = decision.details;
  const upload = uploadOf(decision);
  if (upload && !isSame(upload, uploadOf(first))) row.upload = upload;
  return row;
}

const uploadOf = (decision: IssuanceDecision) => (decision.decision === 'granted' ? decision.upload : undefined);

/** Of one level: what lies deeper counts as different, and is then said twice. */
function isSame<T extends object>(one: T, other: T | null | undefined): boolean {
  if (!other) return false;
  const names = Object.keys(one) as (keyof T)[];
  return (
    names.length === Object.keys(other).length &&
    names.every((name) => Object.hasOwn(other, name) && one[name] === other[name])
  );
}

function urlBeforeKey(decision: IssuanceDecision): string | undefined {
  if (decision.decision !== 'granted') return undefined;
  const { url } = decision.terms;
  return url.endsWith(decision.key) ? url.slice(0, url.length - decision.key.length) : undefined;
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
