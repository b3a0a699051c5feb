export { type AdministrativeChange, type Asker, type IssuanceDecision, type Terms } from './entry.js';
export { readExposure, type SigningKeyExposure } from './exposure.js';
export { Ledger, recordChange } from './ledger.js';
export { LedgerModule } from './ledger.module.js';
export { type Receipt, isReceipt } from './receipt.js';
