import type { Transaction } from '@countersign/database';

/** Now, by the clock that workers compare with: that of a replica may differ. */
export async function databaseTime(transaction: Transaction): Promise<Date> {
  const [{ now }] = await transaction.$queryRaw<[{ now: Date }]>`SELECT clock_timestamp() AS now`;
  return now;
}
