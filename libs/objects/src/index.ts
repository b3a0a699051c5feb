export { askStore, type StoreAnswer, type StoreRequest } from './ask-store.js';
export { Objects, type ObjectsAt, type ObjectsCredential, type Refusal } from './objects.js';
export { type FormTerms, postForm } from './post-form.js';
