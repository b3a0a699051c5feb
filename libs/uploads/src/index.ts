export { type NamedPart, type PartFault, partFaults, type StoredPart } from './part-faults.js';
export { partLength, type PartPlan, planParts } from './part-plan.js';
export { retryAt } from './retry-at.js';
export { LeaseLost, type Recording, UploadLeases, type UploadChanges } from './upload-leases.js';
export { toUpload } from './upload-row.js';
export { goneAt, lookedAt, nextLook, UPLOAD_TIMES, type UploadTimes } from './upload-times.js';
export { type LeasedUpload, type Upload, type UploadMode, type UploadState } from './upload.js';
export { type Aspect, bareEtag, type Found, type Mismatch, type Promised, verify } from './verify.js';
export { DueUploads, isOverForGood } from './due-uploads.js';
