export { type AdministrativeChange, type Asker, type IssuanceDecision, type Terms } from './entry.js';
export { Ledger, recordChange } from './ledger.js';
export { LedgerModule } from './ledger.module.js';
export { type Receipt, isReceipt } from './receipt.js';
