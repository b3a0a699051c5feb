import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Config } from '@countersign/config';
import { Database, type Transaction } from '@countersign/database';
import { connections, type Seed } from '../database/connections.js';
import { proof } from './record.js';

const strict = proof(
  'A filter that is undefined is an error, and never every row',
  'undefined as the value of a filter, of a part of one, and of what is written, through every model of the Prisma client',
  'strictUndefinedChecks taken out of prisma/schema.prisma',
);

/** Attack: a value that never came (`claims.tenant`, `params.id`) is a filter left out, and the query is about everybody's rows. */
describe('undefined, in a query', () => {
  const { seed } = connections();
  let database: Database;
  let seeded: Seed;
  let cases = 0;
  // What the compiler does not see: it came through `any`, or from where the types lie.
  const nothing = undefined as unknown as string;
  beforeAll(async () => {
    database = new Database(new Config(process.env));
    seeded = await seed();
  });
  afterAll(() => database.onApplicationShutdown());

  const throws = async (work: (transaction: Transaction) => Promise<unknown>) => {
    await expect(database.asTenant(seeded.tenant, work)).rejects.toThrow(/undefined/);
    cases++;
  };

  it('throws as a filter, whatever the model and whatever is done with what was found', async () => {
    for (const model of ['bucket', 'grant', 'useCase', 'signingKey', 'rotation', 'keyIssuer', 'ledgerEntry'] as const) {
      const rows = (transaction: Transaction) => transaction[model] as unknown as Transaction['bucket'];
      const select = { tenantId: true };
      await throws((transaction) => rows(transaction).findMany({ where: { tenantId: nothing }, select }));
      await throws((transaction) => rows(transaction).findFirst({ where: { AND: [{ tenantId: nothing }] }, select }));
      await throws((transaction) => rows(transaction).findMany({ where: { tenantId: { equals: nothing } }, select }));
      await throws((transaction) => rows(transaction).count({ where: { tenantId: nothing } }));
      await throws((transaction) => rows(transaction).deleteMany({ where: { tenantId: nothing } }));
      await throws((transaction) => rows(transaction).deleteMany({ where: undefined as never }));
      await throws((transaction) => rows(transaction).updateMany({ where: { tenantId: nothing }, data: {} }));
    }
  });

  it('throws as what is written, too', async () => {
    await throws((transaction) => transaction.bucket.updateMany({ where: {}, data: { region: nothing } }));
  });

  it('and a filter that is there finds what it says', async () => {
    const found = await database.asTenant(seeded.tenant, (transaction) =>
      transaction.bucket.findMany({ where: { tenantId: seeded.tenant } }),
    );
    expect(found.map(({ id }) => id)).toEqual([seeded.bucket]);
    strict.record({ cases, figure: '0 queries made' });
  });
});
