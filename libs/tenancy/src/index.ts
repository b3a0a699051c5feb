export { type Bucket, type Holding, type SigningKey } from './holding.js';
export { Tenancy } from './tenancy.js';
export { TenancyModule } from './tenancy.module.js';
