export { applyPolicy, type Outcome, type Terms, type WantedContent, type WantedTime } from './apply-policy.js';
export { contentTypeFault, essenceOf } from './content-type.js';
export { defaultUseCases } from './default-use-cases.js';
export { autoMode, type StoreOffer, type UploadMode } from './upload-mode.js';
export { isFor, MAX_EXPIRY_SECONDS, MAX_PUT_BYTES, type UseCase } from './use-case.js';
export { type Violation, type ViolationCode } from './violation.js';
