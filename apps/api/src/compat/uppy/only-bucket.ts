import { Injectable } from '@nestjs/common';
import { Database } from '@countersign/database';
import { type Holding, Tenancy } from '@countersign/tenancy';
import type { Caller } from '../../http/caller.js';
import { invalid } from '../../http/request-validation.pipe.js';
import { findHoldings, refusalOf } from '../../issuance/question.js';

/** A tenant with more of them says which. */
const LOOKED_AT = 100;

/** The bucket of a file that names none. */
@Injectable()
export class OnlyBucket {
  constructor(
    private readonly database: Database,
    private readonly tenancy: Tenancy,
  ) {}

  /**
   * The only one that the caller may write this key to; where there is none, the only one in which they have any grant, so that the refusal is
   * the usual one and goes on record.
   * @throws ProblemError `invalid-request` where it is not plain which one is meant: the same for none and for many
   */
  async find(caller: Caller, key: string, useCase: string): Promise<string> {
    const { tenantId } = caller;
    const buckets = await this.database.asTenant(tenantId, (transaction) =>
      transaction.bucket.findMany({ where: { tenantId }, select: { name: true }, take: LOOKED_AT + 1 }),
    );
    if (buckets.length > LOOKED_AT) throw notPlain();
    const questions = buckets.map(({ name }) => ({ action: 'write' as const, bucket: name, key, useCase }));
    const holdings = await findHoldings(this.tenancy, caller, questions);
    const answers = questions.map((question, n) => refusalOf(holdings[n] as Holding, question, caller));
    const granted = buckets.filter((_, n) => answers[n] === null);
    const [only, ...more] = granted.length > 0 ? granted : buckets.filter((_, n) => answers[n] === 'not-granted');
    if (!only || more.length > 0) throw notPlain();
    return only.name;
  }
}

const notPlain = () =>
  invalid([
    {
      pointer: '/metadata/bucket',
      message: 'must be given: there is not exactly one bucket that the caller may write this file to',
    },
  ]);
