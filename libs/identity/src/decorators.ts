import { SetMetadata } from '@nestjs/common';
import type { Scope } from './principal.js';

export const IS_PUBLIC = 'countersign:public';
export const REQUIREMENT = 'countersign:requirement';

/** Anyone may call this route: the only way around the global guard. */
export const Public = () => SetMetadata(IS_PUBLIC, true);

/** What a route asks of its caller. */
export interface Requirement {
  scope: Scope;
  /** The route refuses a suspended tenant itself, and records it; by default the guard does, and does not. */
  decidesOnSuspended?: boolean;
}

/** The scope without which this route answers 403. A route that is neither public nor names one is refused to everybody. */
export const RequireScope = (scope: Scope, options: Omit<Requirement, 'scope'> = {}) =>
  SetMetadata(REQUIREMENT, { scope, ...options });
