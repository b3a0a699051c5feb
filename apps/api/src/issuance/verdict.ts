import type { ProblemError } from '@countersign/errors';
import { type IssuanceDecision, newIssuanceId, type Receipt, type Terms, type UploadRecord } from '@countersign/ledger';
import type { Credential } from '@countersign/signing';
import type { Caller } from '../http/caller.js';
import type { Issued } from './issued.js';
import type { Wish } from './wish.js';

/** What was decided about one wish, and what goes on record: nothing where nothing can be decided now. */
export type Verdict = Granted | Again | { isGranted: false; decision: IssuanceDecision | null; problem: ProblemError };

export interface Granted {
  isGranted: true;
  decision: IssuanceDecision;
  credential: Credential;
  expiryLimitedBy: Issued['expiryLimitedBy'];
}

/** Granted and on record already, for the same request. */
export interface Again extends Omit<Granted, 'decision'> {
  decision: null;
  receipt: Receipt;
}

export function refused(caller: Caller, wish: Wish, problem: ProblemError): Verdict {
  const decision = decisionOf(caller, wish, newIssuanceId(), { decision: 'refused', reason: problem.code });
  return { isGranted: false, decision, problem };
}

export const undecided = (problem: ProblemError): Verdict => ({ isGranted: false, decision: null, problem });

/** Written out, field by field: a thousand of these are made for one batch, and spreading objects takes longer than signing. */
export function decisionOf(
  { tenantId, subject, clientAddress, userAgent, requestId }: Caller,
  { action, bucket, key, useCase, content, details, isStable }: Wish,
  issuanceId: string,
  made:
    { decision: 'granted'; terms: Terms; upload: UploadRecord | undefined } | { decision: 'refused'; reason: string },
): IssuanceDecision {
  const contentLength = content.action === 'write' ? content.contentLength : null;
  const { contentType } = content;
  const common = {
    tenantId,
    subject,
    clientAddress,
    userAgent,
    requestId,
    issuanceId,
    action: action === 'read' ? ('download-url' as const) : ('upload-url' as const),
    bucket,
    key,
    useCase,
    contentType,
    contentLength,
    details,
    isStable,
  };
  return Object.assign(common, made);
}
