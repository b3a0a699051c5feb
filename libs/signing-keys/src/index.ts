export { CredentialSeal, type StorageCredential } from './credential-seal.js';
export { SigningKeysModule } from './signing-keys.module.js';
