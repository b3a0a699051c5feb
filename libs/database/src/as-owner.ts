import { PrismaPg } from '@prisma/adapter-pg';
import type { Transaction } from './database.js';
import { PrismaClient } from './generated/client.js';

/** One transaction as the database's owner, for what is done before the API runs. The API itself never has this URL. */
export async function asOwner<T>(ownerUrl: string, work: (transaction: Transaction) => Promise<T>): Promise<T> {
  const client = new PrismaClient({ adapter: new PrismaPg({ connectionString: ownerUrl }), errorFormat: 'minimal' });
  try {
    return await client.$transaction(work);
  } finally {
    await client.$disconnect();
  }
}
