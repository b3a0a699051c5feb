import { IsIn } from 'class-validator';
import { ByteCount, Example, Integer, Timestamp, Uri, Uuid } from '../http/fields.js';
import { PageQuery } from '../http/page-query.dto.js';
import { IsPlainText, IsTimestamp, Optional, validText } from '../http/validators.js';

export class AuditEventsQuery extends PageQuery {
  /** Whose token it was. */
  @Optional() @IsPlainText() subject?: string;

  /** The bucket's registered name. */
  @Optional() @IsPlainText() bucket?: string;

  /** The object's key, exact. */
  @Optional()
  @validText('isLookedUpKey', (key) => (key.length <= 1024 && !key.includes('\0') ? null : 'must be a key'))
  key?: string;

  /** `download-url`, `upload-url`, `upload-parts`, or a change such as `grant.created`. */
  @Optional() @IsPlainText() action?: string;

  /** An administrative change is always granted. */
  @Optional() @IsIn(['granted', 'refused']) decision?: 'granted' | 'refused';

  /** The first moment, inclusive. */
  @Optional() @IsTimestamp() from?: string;

  /** The last moment, exclusive. */
  @Optional() @IsTimestamp() to?: string;
}

/** One row of the ledger. */
@Example<AuditEvent>({
  id: '0f8e2c1a-6f0b-4b58-9a43-2d1c7be5f001',
  at: '2027-01-31T12:00:00.120Z',
  subject: 'alice',
  action: 'upload-url',
  decision: 'granted',
  reason: null,
  bucket: 'files',
  key: 'users/alice/photo.png',
  useCase: 'upload',
  issuanceId: '5b0f0a52-6c1e-4f5e-9a55-0d6c0f1f3c11',
  signingKeyId: 'a3c1de0e-7d5b-4f6a-8a70-7d5ce8d3b0c2',
  expiresAt: '2027-01-31T12:15:00.000Z',
  contentType: 'image/png',
  contentLength: 48_213,
  url: 'https://s3.eu-central-1.example.com/acme/users/alice/photo.png',
  clientAddress: '203.0.113.7',
  userAgent: 'Mozilla/5.0',
  requestId: 'c1f2a7de-3b58-4f0e-9b0c-5d8f6f3a9e21',
  details: { method: 'PUT', overwrite: false },
  urlCount: null,
  stableUrls: [],
})
export class AuditEvent {
  @Uuid() id!: string;
  @Timestamp() at!: string;

  /** Whose token it was. */
  subject!: string;

  /** `download-url`, `upload-url`, `upload-parts`, or a change such as `grant.created`. */
  action!: string;

  decision!: 'granted' | 'refused';

  /** Of a refusal: the problem's code. */
  reason!: string | null;

  bucket!: string | null;
  key!: string | null;
  useCase!: string | null;
  @Uuid() issuanceId!: string | null;

  /** The signing key that signed it. */
  @Uuid() signingKeyId!: string | null;

  /** When the issued URL dies. */
  @Timestamp() expiresAt!: string | null;

  contentType!: string | null;
  @ByteCount() contentLength!: number | null;

  /** The issued URL without its query: a signature is never stored. */
  @Uri() url!: string | null;

  clientAddress!: string | null;
  userAgent!: string | null;
  @Uuid() requestId!: string;

  /** What else was pinned, or what was changed. */
  details!: Record<string, unknown> | null;

  /** How many URLs were issued, of the parts of an upload or of a pair; 0 where an upload in parts was begun. Null: one URL, or none. */
  @Integer() urlCount!: number | null;

  /** Of a download that asked for a stable URL: its name, and that of the pair's HEAD. Rows with the same name handed out the same URL. */
  stableUrls!: string[];
}

export class AuditEventPage {
  items!: AuditEvent[];

  /** Null on the last page. */
  nextCursor!: string | null;
}
