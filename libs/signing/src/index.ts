export { contentDisposition } from './content-disposition.js';
export { type Credential } from './derived-keys.js';
export { type Form, formTerms } from './form-terms.js';
export { bucketAddress, objectAddress, ObjectAddresses, type Location } from './object-address.js';
export { multipartTerms, type Part, partsTerms } from './parts.js';
export { downloadTerms, UPLOAD_ID_METADATA, uploadTerms } from './s3-terms.js';
export { UrlSigner } from './url-signer.js';
export { SigningModule } from './signing.module.js';
