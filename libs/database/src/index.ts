export { asOwner } from './as-owner.js';
export { Coalescer } from './coalescer.js';
export { type Call, type CallName, Database, type PoolLoad, type Transaction } from './database.js';
export { DatabaseModule } from './database.module.js';
export { isUnavailable, isUniqueViolation } from './faults.js';
export { LATEST_MIGRATION } from './latest-migration.js';
export { migrate } from './migrate.js';
export { prepareDatabase, type RuntimeUrls } from './prepare-database.js';
export { Prisma } from './generated/client.js';
