import { IsIn } from 'class-validator';
import { PageQuery } from '../http/paging.js';
import { IsPlainText, IsTimestamp, Optional, validText } from '../http/validators.js';

export class AuditEventsQuery extends PageQuery {
  @Optional() @IsPlainText() subject?: string;

  /** The bucket's registered name. */
  @Optional() @IsPlainText() bucket?: string;

  /** Exact. */
  @Optional()
  @validText('isLookedUpKey', (key) => (key.length <= 1024 && !key.includes('\0') ? null : 'must be a key'))
  key?: string;

  /** `download-url`, `upload-url`, or a change such as `grant.created`. */
  @Optional() @IsPlainText() action?: string;

  @Optional() @IsIn(['granted', 'refused']) decision?: 'granted' | 'refused';

  /** Inclusive. */
  @Optional() @IsTimestamp() from?: string;

  /** Exclusive. */
  @Optional() @IsTimestamp() to?: string;
}

/** One row of the ledger. */
export class AuditEvent {
  id!: string;
  at!: string;
  subject!: string;
  action!: string;
  decision!: 'granted' | 'refused';

  /** Of a refusal: the problem's code. */
  reason!: string | null;

  bucket!: string | null;
  key!: string | null;
  useCase!: string | null;
  issuanceId!: string | null;
  signingKeyId!: string | null;

  /** When the issued URL dies. */
  expiresAt!: string | null;

  contentType!: string | null;
  contentLength!: number | null;

  /** The issued URL without its query: a signature is never stored. */
  url!: string | null;

  clientAddress!: string | null;
  userAgent!: string | null;
  requestId!: string;

  /** What else was pinned, or what was changed. */
  details!: Record<string, unknown> | null;
}

export class AuditEventPage {
  items!: AuditEvent[];
  nextCursor!: string | null;
}
