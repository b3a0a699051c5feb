export {
  type AdministrativeChange,
  type Asker,
  type FormTerms,
  type IssuanceDecision,
  type MultipartTerms,
  type PartsTerms,
  type Terms,
  type UrlTerms,
} from './entry.js';
export { readExposure, type SigningKeyExposure } from './exposure.js';
export { newIssuanceId } from './issuance-id.js';
export { type Kept, KeptIssuances, keyReused, type OnceDecision, type OnceRequest } from './kept-issuances.js';
export { Ledger, recordChange } from './ledger.js';
export { LedgerModule } from './ledger.module.js';
export { type Receipt, isReceipt, isReceiptFor } from './receipt.js';
export { type UploadRecord } from './upload-record.js';
