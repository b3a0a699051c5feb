export { ConfigModule } from './config.module.js';
export { Config, ConfigError } from './config.js';
export { type EmbeddedStoreAdmin } from './embedded-store.js';
export { type EncryptionKey } from './encryption-keys.js';
