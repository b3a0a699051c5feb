export type {
  CompletedUpload,
  IssuedMultipartUpload,
  IssuedPostUpload,
  IssuedPutUpload,
  IssuedUpload,
  Mismatch,
  Upload,
} from './api.js';
export {
  type CallOptions,
  type CountersignClient,
  type CountersignOptions,
  createCountersignClient,
} from './client.js';
export { CountersignError, type FieldError, type ProblemCode } from './countersign-error.js';
export type { components, paths } from './schema.js';
export { StoreError } from './upload/store-error.js';
export { UploadError, UploadRejectedError } from './upload/upload-error.js';
export type { VerifiedUpload } from './upload/finish-upload.js';
export type { UploadOptions, UploadProgress } from './upload/upload-options.js';
