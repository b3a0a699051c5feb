import { SetMetadata } from '@nestjs/common';
import type { Scope } from './principal.js';

export const IS_PUBLIC = 'countersign:public';
export const REQUIRED_SCOPE = 'countersign:scope';

/** Anyone may call this route: the only way around the global guard. */
export const Public = () => SetMetadata(IS_PUBLIC, true);

/** The scope without which this route answers 403. A route that is neither public nor names one is refused to everybody. */
export const RequireScope = (scope: Scope) => SetMetadata(REQUIRED_SCOPE, scope);
