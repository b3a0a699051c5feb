export type Scope = 'read:objects' | 'write:objects' | 'read:audit' | 'admin:tenant' | 'admin:platform';

/** Who calls. It comes from a verified token and from nowhere else. */
export interface Principal {
  tenantId: string;
  subject: string;
  groups: readonly string[];
  scopes: ReadonlySet<string>;
}
