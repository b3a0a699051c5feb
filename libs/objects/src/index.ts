export { askStore, type StoreAnswer } from './ask-store.js';
export {
  type Aborted,
  type Absent,
  type Completed,
  type FoundObject,
  type Gone,
  type Hashed,
  isPerhapsAbsent,
  type ListedParts,
  type ListedUploads,
  type Looked,
  type PinnedToUpload,
  type Refused,
  type Removed,
  type Started,
  type StartedUpload,
  type StoredPart,
} from './answers.js';
export { Objects, type ObjectsAt, type ObjectsCredential } from './objects.js';
