import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { Principal } from '@countersign/identity';
import type { Asker } from '@countersign/ledger';
import type { FastifyRequest } from 'fastify';
import { clientAddress } from './client-address.js';

/** Who calls, and what the ledger notes of the call. */
export interface Caller extends Principal {
  clientAddress: string;
  userAgent: string | null;
  requestId: string;
}

/** The verified caller of this request. */
export const Calling = createParamDecorator((_: unknown, context: ExecutionContext): Caller => {
  return callerOf(context.switchToHttp().getRequest<FastifyRequest>());
});

/** The caller of a request that the guard has let in. */
export function callerOf(request: FastifyRequest): Caller {
  const { tenantId, isSuspended, subject, groups, scopes } = (request as FastifyRequest & { user: Principal }).user;
  const userAgent = request.headers['user-agent']?.slice(0, 512) ?? null;
  return {
    tenantId,
    isSuspended,
    subject,
    groups,
    scopes,
    clientAddress: clientAddress(request),
    userAgent,
    requestId: request.id,
  };
}

/** What the ledger notes of a caller. */
export function askerOf({ tenantId, subject, clientAddress, userAgent, requestId }: Caller): Asker {
  return { tenantId, subject, clientAddress, userAgent, requestId };
}
