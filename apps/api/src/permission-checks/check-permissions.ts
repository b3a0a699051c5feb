import { Injectable } from '@nestjs/common';
import { isFor } from '@countersign/policy';
import { type Holding, Tenancy } from '@countersign/tenancy';
import type { Caller } from '../http/caller.js';
import { findHoldings, isWithheld, type Question, refusalOf } from '../issuance/question.js';
import type { ApplicablePolicy, PermissionCheck, PermissionCheckItem } from './permission-checks.dto.js';

/** What would be decided, by the same read and the same rules as issuing; nothing is signed, and so nothing is recorded. */
@Injectable()
export class CheckPermissions {
  constructor(private readonly tenancy: Tenancy) {}

  async execute(caller: Caller, items: readonly PermissionCheckItem[]): Promise<PermissionCheck[]> {
    const questions = items.map(({ bucket, key, action, useCase = action === 'read' ? 'download' : 'upload' }) => ({
      bucket,
      key,
      action,
      useCase,
    }));
    const holdings = await findHoldings(this.tenancy, caller, questions);
    return holdings.map((holding, n) => toCheck(caller, questions[n] as Question, holding));
  }
}

function toCheck(caller: Caller, question: Question, holding: Holding): PermissionCheck {
  const misfit = holding.useCase && isFor(holding.useCase, question.action) ? null : 'use-case-not-found';
  const withheld = isWithheld(holding, question) ? 'not-verified' : null;
  const reason = refusalOf(holding, question, caller) ?? misfit ?? withheld;
  return { ...question, allowed: reason === null, reason, policy: reason === null ? toPolicy(holding.useCase) : null };
}

function toPolicy(useCase: Holding['useCase']): ApplicablePolicy | null {
  if (!useCase) return null;
  const { name: _name, action: _action, ...policy } = useCase;
  return policy;
}
