import { IsIn } from 'class-validator';
import { IsName, IsPlainText, Optional } from '../http/validators.js';

export class TenantRequest {
  /** Its name in addresses and claims. */
  @IsName() slug!: string;

  /** What people call it. */
  @IsPlainText() name!: string;
}

export class TenantChanges {
  @Optional() @IsPlainText() name?: string;

  /** A suspended tenant's very next request is refused. URLs that are out live on until they expire. */
  @Optional() @IsIn(['active', 'suspended']) state?: 'active' | 'suspended';
}

export class TenantResponse {
  id!: string;
  slug!: string;
  name!: string;
  state!: 'active' | 'suspended';
  createdAt!: string;
}

export class TenantPage {
  items!: TenantResponse[];
  nextCursor!: string | null;
}
