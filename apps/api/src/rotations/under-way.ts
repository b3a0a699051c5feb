import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import { Database, type Prisma, type Transaction } from '@countersign/database';
import { ProblemError } from '@countersign/errors';
import type { Principal } from '@countersign/identity';
import type { FastifyRequest } from 'fastify';
import type { Observable } from 'rxjs';
import { NAME, UUID } from '../http/paging.js';

/** The rotation that is under way, or null. */
export function underWay(transaction: Transaction, where: Prisma.RotationWhereInput) {
  const select = { id: true, state: true, intent: true, leftovers: true } as const;
  return transaction.rotation.findFirst({ where: { ...where, state: { not: 'done' } }, select });
}

export const rotationUnderWay = (rotationId: string): ProblemError =>
  new ProblemError('rotation-under-way', 'A rotation of this bucket is under way: follow that one.', { rotationId });

type Asked = FastifyRequest<{ Params: { id?: string } }> & { user: Principal };

/**
 * Tells of a rotation that is under way before the body is parsed: whoever cannot begin one need not learn what else is wrong with their
 * request. Where the body names no bucket it is the body that is wrong. Of those that begin at once, the transaction lets only one.
 */
@Injectable()
export class UnlessUnderWay implements NestInterceptor {
  constructor(private readonly database: Database) {}

  async intercept(context: ExecutionContext, next: CallHandler): Promise<Observable<unknown>> {
    const request = context.switchToHttp().getRequest<Asked>();
    const bucket = bucketOf(request);
    // Whoever repeats a request may mean the rotation that it has begun: the transaction knows.
    if (bucket && request.headers['idempotency-key'] === undefined) {
      const { tenantId } = request.user;
      const rotation = await this.database.asTenant(tenantId, (transaction) =>
        underWay(transaction, { tenantId, bucket }),
      );
      if (rotation) throw rotationUnderWay(rotation.id);
    }
    return next.handle();
  }
}

/** By the signing key of the path, or else by the name in the body. */
function bucketOf({ params: { id }, body }: Asked): Prisma.BucketWhereInput | null {
  if (id !== undefined) return UUID.test(id) ? { signingKeys: { some: { id } } } : null;
  const { bucket: name } = (body ?? {}) as { bucket?: unknown };
  return typeof name === 'string' && NAME.test(name) ? { name } : null;
}
