export { contentDisposition } from './content-disposition.js';
export { objectAddress, type Location } from './object-address.js';
export { downloadTerms, uploadTerms } from './s3-terms.js';
export { UrlSigner, type Credential } from './url-signer.js';
export { SigningModule } from './signing.module.js';
