import { IsIn } from 'class-validator';
import { Example, Timestamp, Uuid } from '../http/fields.js';
import { IsName, IsPlainText, Optional } from '../http/validators.js';

@Example<TenantRequest>({ slug: 'acme', name: 'Acme Ltd' })
export class TenantRequest {
  /** Its name in addresses and claims. */
  @IsName() slug!: string;

  /** What people call it. */
  @IsPlainText() name!: string;
}

@Example<TenantChanges>({ state: 'suspended' })
export class TenantChanges {
  /** What people call it. */
  @Optional() @IsPlainText() name?: string;

  /** A suspended tenant's very next request is refused. URLs that are out live on until they expire. */
  @Optional() @IsIn(['active', 'suspended']) state?: 'active' | 'suspended';
}

@Example<TenantResponse>({
  id: '7c9e6679-7425-40de-944b-e07fc1f90ae7',
  slug: 'acme',
  name: 'Acme Ltd',
  state: 'active',
  createdAt: '2027-01-31T12:00:00.000Z',
})
export class TenantResponse {
  @Uuid() id!: string;
  slug!: string;
  name!: string;
  state!: 'active' | 'suspended';
  @Timestamp() createdAt!: string;
}

export class TenantPage {
  items!: TenantResponse[];

  /** Null on the last page. */
  nextCursor!: string | null;
}
