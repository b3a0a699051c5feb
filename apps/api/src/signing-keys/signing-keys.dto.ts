import { Example, Timestamp, Uuid } from '../http/fields.js';
import { PageQuery } from '../http/page-query.dto.js';
import { IsLookedUpName, Optional } from '../http/validators.js';
import { Exposure } from '../rotations/rotations.dto.js';

export class SigningKeysQuery extends PageQuery {
  /** The bucket's registered name. */
  @Optional() @IsLookedUpName() bucket?: string;
}

@Example<SigningKeyResponse>({
  id: 'a3c1de0e-7d5b-4f6a-8a70-7d5ce8d3b0c2',
  bucket: 'files',
  accessKeyId: 'ACCESSKEYID',
  state: 'active',
  createdAt: '2027-01-01T09:00:00.000Z',
  lastIssuedAt: '2027-01-31T12:00:00.120Z',
  exposure: { liveUrls: 128, subjects: 17, latestExpiresAt: '2027-01-31T13:00:00.000Z' },
})
export class SigningKeyResponse {
  @Uuid() id!: string;

  /** The bucket's registered name. */
  bucket!: string;

  /** Null while the store has not named it. */
  accessKeyId!: string | null;

  /**
   * It is made (`creating`) and tried (`probing`), signs (`active`), signs no more while its URLs live on (`retiring`) or are cut off
   * (`disabling`), was seen dead (`revoked`), and is gone (`deleted`). `needs-operator`: it cannot be told what became of it.
   */
  state!: 'creating' | 'probing' | 'active' | 'retiring' | 'disabling' | 'revoked' | 'deleted' | 'needs-operator';

  @Timestamp() createdAt!: string;

  /** When it last signed a URL; null where it never did. */
  @Timestamp() lastIssuedAt!: string | null;

  /** What is out under it: nothing once it was seen dead. */
  exposure!: Exposure;
}

export class SigningKeyPage {
  items!: SigningKeyResponse[];

  /** Null on the last page. */
  nextCursor!: string | null;
}
