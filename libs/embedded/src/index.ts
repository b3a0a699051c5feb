/**
 * A real PostgreSQL and an S3 store on one machine, for development and tests, where nothing is installed.
 * Never in production: whoever can read the directories owns the data.
 */
export { freePort, isFree } from './free-port.js';
export { startPostgres, type EmbeddedPostgres, type PostgresOptions } from './postgres/start-postgres.js';
export { startStore } from './store/start-store.js';
export type { AccessKey, EmbeddedStore, StoreBucket, StoreOptions, UserAccessKey } from './store/start-store.js';
