import { IsName, IsPlainText } from '../http/validators.js';

export class TenantRequest {
  /** Its name in addresses and claims. */
  @IsName() slug!: string;

  /** What people call it. */
  @IsPlainText() name!: string;
}

export class TenantResponse {
  id!: string;
  slug!: string;
  name!: string;
  createdAt!: string;
}

export class TenantPage {
  items!: TenantResponse[];
  nextCursor!: string | null;
}
