export {
  applyPolicy,
  type Outcome,
  type Terms,
  type Violation,
  type ViolationCode,
  type WantedContent,
  type WantedTime,
} from './apply-policy.js';
export { contentTypeFault, essenceOf } from './content-type.js';
export { defaultUseCases } from './default-use-cases.js';
export { isFor, MAX_EXPIRY_SECONDS, type UseCase } from './use-case.js';
