export { contentDisposition } from './content-disposition.js';
export { objectAddress, ObjectAddresses, type Location } from './object-address.js';
export { downloadTerms, uploadTerms } from './s3-terms.js';
export { type Credential } from './sigv4.js';
export { UrlSigner } from './url-signer.js';
export { SigningModule } from './signing.module.js';
