import { Injectable } from '@nestjs/common';
import type { ProblemError } from '@countersign/errors';
import { type IssuanceDecision, Ledger, newIssuanceId } from '@countersign/ledger';
import { type Bucket, type Holding, Tenancy } from '@countersign/tenancy';
import type { Upload } from '@countersign/uploads';
import { askerOf, type Caller } from '../http/caller.js';
import { findHoldings, refusalOf } from '../issuance/question.js';
import { refusalProblem } from '../issuance/refusals.js';

/** What is asked for, for the ledger. */
export interface Wanted {
  action: 'upload-parts' | 'upload-completion';
  details: Record<string, unknown>;
}

/** Whether the owner may still write there: a grant that was removed since the upload began counts (invariant 4). */
@Injectable()
export class UploadPermission {
  constructor(
    private readonly tenancy: Tenancy,
    private readonly ledger: Ledger,
  ) {}

  /** What the caller's tenant holds, for who may. @throws ProblemError for a refusal, once it is on record. */
  async assertGranted(caller: Caller, upload: Upload, wanted: Wanted): Promise<Holding & { bucket: Bucket }> {
    const question = { action: 'write' as const, bucket: upload.bucket, key: upload.key, useCase: upload.useCase };
    const [holding] = await findHoldings(this.tenancy, caller, [question]);
    if (!holding) throw new Error('findHoldings left out a question');
    const refusal = refusalOf(holding, question, caller);
    const { bucket } = holding;
    if (refusal === null && bucket) return { ...holding, bucket };
    return this.refuse(caller, upload, wanted, refusalProblem(refusal ?? 'bucket-not-found'));
  }

  /** @throws ProblemError the refusal, once it is on record. */
  async refuse(caller: Caller, upload: Upload, wanted: Wanted, problem: ProblemError): Promise<never> {
    const refused = { decision: 'refused' as const, reason: problem.code };
    await this.ledger.record([{ ...decisionOn(caller, upload, wanted), ...refused }]);
    throw problem;
  }
}

/** All of a decision but what was decided. */
export function decisionOn(caller: Caller, upload: Upload, { action, details }: Wanted): Undecided {
  return {
    ...askerOf(caller),
    issuanceId: newIssuanceId(),
    action,
    bucket: upload.bucket,
    key: upload.key,
    useCase: upload.useCase,
    contentType: upload.contentType,
    contentLength: null,
    details: { uploadId: upload.id, ...details },
  };
}

type Undecided = Omit<IssuanceDecision, 'decision' | 'terms' | 'reason'>;
