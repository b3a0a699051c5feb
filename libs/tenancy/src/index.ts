export { type Bucket, type Holding, type SigningKey } from './holding.js';
export { type Asked, Tenancy } from './tenancy.js';
export { TenancyModule } from './tenancy.module.js';
