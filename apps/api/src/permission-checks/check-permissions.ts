import { Injectable } from '@nestjs/common';
import { isFor } from '@countersign/policy';
import { type Holding, Tenancy } from '@countersign/tenancy';
import type { Caller } from '../http/caller.js';
import { refusalOf, toRead } from '../issuance/question.js';
import type { ApplicablePolicy, PermissionCheck, PermissionCheckItem } from './permission-checks.dto.js';

/** What would be decided, by the same read and the same rules as issuing; nothing is signed, and so nothing is recorded. */
@Injectable()
export class CheckPermissions {
  constructor(private readonly tenancy: Tenancy) {}

  execute(caller: Caller, items: readonly PermissionCheckItem[]): Promise<PermissionCheck[]> {
    return Promise.all(items.map((item) => this.#check(caller, item)));
  }

  async #check(caller: Caller, item: PermissionCheckItem): Promise<PermissionCheck> {
    const { bucket, key, action, useCase = action === 'read' ? 'download' : 'upload' } = item;
    const question = { bucket, key, action, useCase };
    const holding = await this.tenancy.find(toRead(caller, question));
    const misfit = holding.useCase && isFor(holding.useCase, action) ? null : 'use-case-not-found';
    const reason = refusalOf(holding, question, caller) ?? misfit;
    const policy = reason === null ? toPolicy(holding.useCase) : null;
    return { ...question, allowed: reason === null, reason, policy };
  }
}

function toPolicy(useCase: Holding['useCase']): ApplicablePolicy | null {
  if (!useCase) return null;
  const { name: _name, action: _action, ...policy } = useCase;
  return policy;
}
