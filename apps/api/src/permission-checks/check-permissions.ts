import { Injectable } from '@nestjs/common';
import { decide, isSegment, lookupPaths } from '@countersign/permissions';
import { type Holding, Tenancy } from '@countersign/tenancy';
import type { Caller } from '../http/caller.js';
import type { ApplicablePolicy, PermissionCheck, PermissionCheckItem } from './permission-checks.dto.js';

/** What would be decided, by the same read and the same rules as issuing; nothing is signed, and so nothing is recorded. */
@Injectable()
export class CheckPermissions {
  constructor(private readonly tenancy: Tenancy) {}

  execute(caller: Caller, items: readonly PermissionCheckItem[]): Promise<PermissionCheck[]> {
    return Promise.all(items.map((item) => this.#check(caller, item)));
  }

  async #check({ tenantId, subject, groups }: Caller, item: PermissionCheckItem): Promise<PermissionCheck> {
    const { bucket, key, action, useCase = action === 'read' ? 'download' : 'upload' } = item;
    const asked = {
      tenantId,
      subject,
      groups,
      bucket,
      useCase,
      paths: lookupPaths(key),
      hasSegment: isSegment(subject),
    };
    const holding = await this.tenancy.find(asked);
    const reason = refusal(holding, { action, key, subject });
    const policy = reason === null ? toPolicy(holding.useCase) : null;
    return { bucket, key, action, useCase, allowed: reason === null, reason, policy };
  }
}

function refusal(
  holding: Holding,
  wanted: { action: 'read' | 'write'; key: string; subject: string },
): PermissionCheck['reason'] {
  if (!holding.bucket || !holding.holdsAnything) return 'bucket-not-found';
  if (!decide(holding.grants, wanted).isAllowed) return 'not-granted';
  const { useCase } = holding;
  return useCase && (useCase.action === 'any' || useCase.action === wanted.action) ? null : 'use-case-not-found';
}

function toPolicy(useCase: Holding['useCase']): ApplicablePolicy | null {
  if (!useCase) return null;
  const { name: _name, action: _action, ...policy } = useCase;
  return policy;
}
