export type Scope = 'read:objects' | 'write:objects' | 'read:audit' | 'admin:tenant' | 'admin:platform';

/** Who calls. It comes from a verified token and from nowhere else. */
export interface Principal {
  tenantId: string;
  /** Whether the tenant may do nothing for now. */
  isSuspended: boolean;
  subject: string;
  groups: readonly string[];
  scopes: ReadonlySet<string>;
}
