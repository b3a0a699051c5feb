export { Public, REQUIREMENT, type Requirement, RequireScope } from './decorators.js';
export { IdentityModule } from './identity.module.js';
export { algorithmsOf, jwksFault, SUPPORTED_ALGORITHMS, type JsonWebKeySet } from './jwks.js';
export { JwtAuthGuard } from './jwt-auth.guard.js';
export { type Principal, type Scope } from './principal.js';
